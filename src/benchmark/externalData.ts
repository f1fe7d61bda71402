/**
 * @file Weights as ONNX Runtime reads them: Blobs that give their bytes in pieces, and say how far they are and what went wrong.
 *
 * The JSPI build of 1.30.0 reads a Blob by `slice(a, b).stream().getReader({ mode: 'byob' })` and keeps neither stream nor
 * reader. When the garbage collector runs during a pending read, the read never settles, and with it every later call. Here
 * the runtime gets a Blob whose slices are read by `arrayBuffer()`, which the browser keeps alive until it is done: nothing
 * is there to be collected. What makes the runtime take it is that it is a Blob (`instanceof`); every other method is a Blob's.
 */
import { LabError } from '../errors';

/** Bytes of one reading: small enough for a steady sign of life, large enough to cost no time. */
const pieceBytes = 8 * 2 ** 20;

/** What the reads of one session's creation have come to. */
export interface Reading {
  /** Called after each piece. */
  readonly alive: () => void;
  /** The first piece that could not be read. */
  failure: { readonly path: string; readonly cause: unknown } | null;
}

/** Of ReadableStream, what ONNX Runtime uses. */
interface PieceStream {
  getReader(options?: { mode?: string }): { read(): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> };
}

/** `blob` as external data named `path`. */
export function readInPieces(blob: Blob, path: string, reading: Reading): Blob {
  const whole = blob.slice(0, blob.size, blob.type); // of its own, so that the caller's Blob stays as it is
  const slice = (begin?: number, end?: number, type?: string): Blob => {
    const part = blob.slice(begin, end, type);
    return Object.defineProperty(part, 'stream', { value: () => streamOf(part, path, reading) });
  };
  return Object.defineProperty(whole, 'slice', { value: slice });
}

function streamOf(part: Blob, path: string, reading: Reading): PieceStream {
  return {
    getReader({ mode } = {}) {
      // Callers fall back to a reader that brings its own buffers.
      if (mode === 'byob') throw new TypeError('These bytes are read in pieces, not into a given buffer.');
      let at = 0;
      return {
        async read() {
          if (at >= part.size) return { done: true, value: undefined };
          const end = Math.min(part.size, at + pieceBytes);
          try {
            const value = new Uint8Array(await part.slice(at, end).arrayBuffer());
            at = end;
            reading.alive();
            return { done: false, value };
          } catch (cause) {
            reading.failure ??= { path, cause };
            throw cause;
          }
        },
      };
    },
  };
}

/** The browser's names for bytes that were there and cannot be had. */
const unreadable: ReadonlySet<string> = new Set(['NotReadableError', 'NotFoundError', 'SecurityError']);

/** The glue's own words when its reading of external data failed. */
const loaderWords = /failed to load external data|error occurred in memory copy|external data file/i;

/**
 * Why the weights could not be read, where that is what `thrown` is about; else null. The runtime itself says no more than
 * "Unknown error occurred in memory copy".
 */
export function readFailure(thrown: unknown, { failure }: Pick<Reading, 'failure'>): LabError | null {
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  const direct = thrown instanceof DOMException && unreadable.has(thrown.name);
  if (failure === null && !direct && !loaderWords.test(said)) return null;
  const cause = failure?.cause ?? thrown;
  if (isOutOfMemory(cause)) {
    return new LabError(
      'out-of-memory',
      `Reading the weights${failure ? ` of ${failure.path}` : ''} ran out of memory: ${wordsOf(cause)}.`,
      'Close other tabs, or remove more of the model.',
      { cause },
    );
  }
  return new LabError(
    'storage',
    `Reading the weights${failure ? ` of ${failure.path}` : ''} for ONNX Runtime failed: ${wordsOf(cause)}.`,
    'Try again. If it fails again, forget the stored model and load it again, because its stored bytes cannot be read.',
    { cause },
  );
}

/** An ArrayBuffer that found no room is a RangeError; ONNX Runtime's heap says bad_alloc, which is `ortError`'s. */
function isOutOfMemory(cause: unknown): boolean {
  return cause instanceof RangeError && /allocat|length/i.test(cause.message);
}

function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return `${cause.name}: ${cause.message}`;
}
