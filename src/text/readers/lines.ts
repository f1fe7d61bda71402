/** @file Bytes of a text file → characters and lines: UTF-8 only, piece by piece. */
import { LabError, throwIfAborted } from '../../errors';
import { pieces } from '../../io/streams';
import type { TaskOptions } from '../../task';

type Bytes = Uint8Array<ArrayBuffer>;

/** A file's bytes, unpacked where its name ends in .gz. `done` counts what was read of the file itself. */
function bytesOf(file: File, { onProgress }: TaskOptions): ReadableStream<Bytes> {
  let done = 0;
  const counted = file.stream().pipeThrough(
    new TransformStream<Bytes, Bytes>({
      transform(chunk, controller) {
        done += chunk.length;
        onProgress?.({ stage: `Reading ${file.name}`, done, total: file.size, unit: 'bytes' });
        controller.enqueue(chunk);
      },
    }),
  );
  return /\.gz$/i.test(file.name) ? counted.pipeThrough(new DecompressionStream('gzip')) : counted;
}

function zerosOf(bytes: Bytes): number {
  let zeros = 0;
  for (const byte of bytes.subarray(0, 4096)) zeros += Number(byte === 0);
  return zeros * Math.max(1, bytes.length / 4096);
}

/** A UTF-8 file's whole text. Throws as `characters` does, and what `tooLong` makes where there are more than `most` characters. */
export async function wholeText(file: File, most: number, tooLong: () => LabError, task: TaskOptions): Promise<string> {
  const parts: string[] = [];
  let length = 0;
  for await (const part of characters(file, task)) {
    parts.push(part);
    length += part.length;
    if (length > most) throw tooLong();
  }
  return parts.join('');
}

/** The characters of a UTF-8 file, in pieces. Throws 'bad-source' for other encodings and for broken gzip. */
export async function* characters(file: File, task: TaskOptions): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let read = 0;
  const decode = (bytes?: Bytes): string => {
    // UTF-16 of Latin letters is UTF-8 as well, with a zero beside each.
    if (bytes && read === 0 && zerosOf(bytes) * 10 > bytes.length) {
      throw new LabError(
        'bad-source',
        `${file.name}: expected UTF-8, got many zero bytes: the file is UTF-16 or not text.`,
        'Save the file as UTF-8, then choose it again.',
      );
    }
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
    } catch (cause) {
      throw new LabError(
        'bad-source',
        `${file.name}: expected UTF-8, got invalid bytes after byte ${read}.`,
        'Save the file as UTF-8, then choose it again.',
        { cause },
      );
    }
  };
  try {
    for await (const bytes of pieces(bytesOf(file, task), file.name, task.signal)) {
      yield decode(bytes);
      read += bytes.length;
    }
  } catch (thrown) {
    throwIfAborted(task.signal, 'The load');
    if (thrown instanceof LabError && thrown.code !== 'network') throw thrown;
    const reason = thrown instanceof LabError && thrown.cause instanceof Error ? thrown.cause.message : String(thrown);
    throw new LabError('bad-source', `${file.name} could not be read (${reason}).`, 'Choose the file again.', {
      cause: thrown,
    });
  }
  const rest = decode();
  if (rest !== '') yield rest;
}

/** Lines without their ends (\n or \r\n); `maxLength` bounds one. */
export async function* lines(
  file: File,
  maxLength: number,
  tooLong: (line: number) => LabError,
  task: TaskOptions,
): AsyncGenerator<string, void, undefined> {
  /** Of the line that has not ended, in pieces: joined once, when it has. */
  let waiting: string[] = [];
  let length = 0;
  let line = 1;
  for await (const text of characters(file, task)) {
    const parts = text.split('\n');
    for (const [index, part] of parts.entries()) {
      waiting.push(part);
      length += part.length;
      if (length > maxLength) throw tooLong(line);
      if (index === parts.length - 1) break;
      const whole = waiting.join('');
      waiting = [];
      length = 0;
      yield whole.endsWith('\r') ? whole.slice(0, -1) : whole;
      line += 1;
    }
  }
  if (length > 0) yield waiting.join('');
}
