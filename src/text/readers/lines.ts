/** @file Bytes of a text file → characters and lines: UTF-8 only, piece by piece. */
import { LabError, throwIfAborted } from '../../errors';
import { pieces } from '../../shards/streams';
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

/** The characters of a UTF-8 file, in pieces. Throws 'bad-source' for other encodings and for broken gzip. */
export async function* characters(file: File, task: TaskOptions): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let read = 0;
  const decode = (bytes?: Bytes): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
    } catch (cause) {
      throw new LabError(
        'bad-source',
        `${file.name}: expected UTF-8, got other bytes behind byte ${read}.`,
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
  let waiting = '';
  let line = 1;
  for await (const text of characters(file, task)) {
    const parts = (waiting + text).split('\n');
    waiting = parts.pop() ?? '';
    for (const part of parts) {
      yield part.endsWith('\r') ? part.slice(0, -1) : part;
      line += 1;
    }
    if (waiting.length > maxLength) throw tooLong(line);
  }
  if (waiting !== '') yield waiting;
}
