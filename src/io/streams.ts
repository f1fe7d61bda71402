/** @file Reading streams: piece by piece, cancellable, or whole with a bound. */
import { LabError, throwIfAborted } from '../errors';
import { networkError } from './networkErrors';

type Bytes = Uint8Array<ArrayBuffer>;

/** The pieces of a stream; a failure names `what`. The stream is released whichever way the loop ends. */
export async function* pieces(
  stream: ReadableStream<Bytes>,
  what: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Bytes, void, undefined> {
  const reader = stream.getReader();
  // A cancelled stream answers the read that waits, so that a stalled server cannot hold the task.
  const stop = (): void => void reader.cancel().catch(() => undefined);
  signal?.addEventListener('abort', stop);
  try {
    for (;;) {
      throwIfAborted(signal, 'The load');
      const { done, value } = await reader.read().catch((thrown) => {
        throw networkError(what, thrown);
      });
      throwIfAborted(signal, 'The load');
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

/** A small file whole, `onPiece` hearing of every piece that comes; throws 'bad-source' beyond `maxBytes`. */
export async function collect(
  stream: ReadableStream<Bytes>,
  what: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
  onPiece?: (bytes: number) => void,
): Promise<Bytes> {
  const parts: Bytes[] = [];
  let length = 0;
  for await (const part of pieces(stream, what, signal)) {
    onPiece?.(part.length);
    parts.push(part);
    length += part.length;
    if (length > maxBytes) {
      throw new LabError('bad-source', `${what}: expected at most ${maxBytes} bytes.`, 'Is this the right folder?');
    }
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
