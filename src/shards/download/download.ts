/**
 * @file One large file into the store: byte ranges over several connections, each chunk kept as soon as it is whole.
 *
 * While the connections fetch, one follower reads the stored chunks back in order: each must still have the digest that
 * it was stored with, and together they must have the digest that the source names. What a cut, a cancellation or a full
 * disk leaves is good for the next attempt.
 */
import { sha256 } from 'hash-wasm';
import { LabError, throwIfAborted } from '../../errors';
import { networkError, silentError } from '../../io/networkErrors';
import { PassingFailure, type Pulse, type RetryPolicy, whileAlive, withRetries } from '../../io/retry';
import { pieces } from '../../io/streams';
import { type FileDigest, hasherFor } from '../sources/digest';
import type { OpenedRange } from '../sources/repository';
import type { PendingLoad } from '../store/pendingLoad';

type Bytes = Uint8Array<ArrayBuffer>;

export interface DownloadOptions {
  readonly name: string;
  /** For messages: 'model.safetensors of owner/name'. */
  readonly what: string;
  readonly size: number;
  /** The source's digest of the whole file; null if it has none. */
  readonly digest: FileDigest | null;
  /** Bytes [begin, end); the whole file from its start where the server refuses ranges, and without `end`. */
  readonly range: (begin: number, end: number | null, signal: AbortSignal) => Promise<OpenedRange>;
  readonly pending: PendingLoad;
  readonly connections: number;
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal | undefined;
  /** Bytes that came over the network. */
  readonly onReceived: (bytes: number) => void;
  /** Bytes that an earlier attempt had stored. */
  readonly onReused: (bytes: number) => void;
  /** The file from its beginning, in order: throw to refuse it. */
  readonly onBytes: (bytes: Bytes) => void;
}

/** The server answered a range with the whole file. */
class RangesRefused extends Error {}

/** Downloads the part of a file that the pending load lacks. Throws 'network', 'quota', 'aborted', and what `onBytes` throws. */
export async function downloadFile(options: DownloadOptions): Promise<void> {
  await new Download(options).run();
}

class Download {
  readonly #options: DownloadOptions;
  readonly #chunkBytes: number;
  readonly #chunks: number;
  /** Ends all connections when one of them fails. */
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  /** `onBytes` refused the bytes. */
  #refused = false;
  /** Some request for a range was answered, in whatever way. */
  #answered = false;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.#chunkBytes = options.pending.chunkBytes;
    this.#chunks = Math.ceil(options.size / this.#chunkBytes);
    const own = this.#controller.signal;
    this.#signal = options.signal ? AbortSignal.any([options.signal, own]) : own;
  }

  async run(): Promise<void> {
    const { pending, name, size, what, digest: wanted, onBytes, onReused } = this.#options;
    const expected = wanted?.hex ?? null;
    const sums = await pending.sums(name);
    const arrived = Array.from({ length: this.#chunks }, () => gate());
    for (const { promise } of arrived) promise.catch(() => undefined); // the follower waits for one at a time
    const missing: number[] = [];
    for (let index = 0; index < this.#chunks; index += 1) {
      if (sums.get(index)?.bytes === this.#length(index)) {
        arrived[index]!.resolve();
        onReused(this.#length(index));
      } else missing.push(index);
    }
    const stored = (index: number): void => arrived[index]!.resolve();
    const fetching = this.#fetchAll(missing, stored);
    const following = this.#follow((index) => arrived[index]!.promise, onBytes);
    // Whichever fails first ends the other; its failure is the one that is told.
    const stop = (thrown: unknown): never => {
      this.#controller.abort();
      for (const { reject } of arrived) reject(thrown);
      throw thrown;
    };
    const results = [fetching.catch(stop), following.catch(stop)] as const;
    const [, digest] = await Promise.all(results).catch(async (thrown: unknown) => {
      await Promise.allSettled(results);
      // It may be the fault of a wrong byte on the way: the next attempt must not find the same bytes again.
      if (this.#refused) await pending.dropFile(name);
      throw thrown;
    });
    if (expected !== null && digest !== expected && !(await this.#replaceWrongChunks())) {
      await pending.dropFile(name);
      throw new LabError(
        'bad-download',
        `${what}: expected the ${wanted?.kind === 'git' ? 'git id' : 'SHA-256'} ${expected}, got ${digest} twice: the connection delivers other bytes than the Hub's file.`,
        'Load it again over another connection, or load its files from your disk.',
      );
    }
    pending.complete(name, size, wanted?.kind === 'sha256' ? { sha256: wanted.hex } : {});
  }

  async #fetchAll(missing: readonly number[], stored: (index: number) => void): Promise<void> {
    const queue = [...missing];
    const connection = async (): Promise<void> => {
      for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
        await this.#store(index, await this.#fetch(index));
        stored(index);
      }
    };
    let refused = false;
    const count = Math.min(this.#options.connections, queue.length);
    const connections = Array.from({ length: count }, () =>
      connection().catch(async (thrown: unknown) => {
        queue.length = 0; // the others finish their chunk, and no more
        if (!(thrown instanceof RangesRefused || (await this.#blocked(thrown)))) throw thrown;
        refused = true;
      }),
    );
    try {
      await Promise.all(connections);
    } catch (thrown) {
      this.#controller.abort(); // the first failure ends the file at once
      await Promise.allSettled(connections); // nothing is being stored once this has thrown
      throw thrown;
    }
    if (refused) await this.#fetchWhole(stored);
  }

  /**
   * Requests for ranges fail as if there were no line, and the file itself is answered: so looks a server that does not
   * allow the header to other pages (CORS).
   */
  async #blocked(thrown: unknown): Promise<boolean> {
    const unheard = thrown instanceof LabError && thrown.code === 'network' && thrown.cause instanceof TypeError;
    if (this.#answered || !unheard) return false;
    const answers = async (begin: number, end: number | null): Promise<boolean> => {
      const opened = await this.#options.range(begin, end, this.#signal).catch(() => null);
      await opened?.stream.cancel();
      return opened !== null;
    };
    return (await answers(0, null)) && !(await answers(0, 1));
  }

  /** One chunk; an interrupted one goes on from its last byte. */
  async #fetch(index: number): Promise<Bytes> {
    const { range, retry, what, size, onReceived } = this.#options;
    const begin = index * this.#chunkBytes;
    const chunk = new Uint8Array(this.#length(index));
    let got = 0;
    await withRetries(
      () =>
        this.#attempt(async (signal, alive) => {
          const opened = await range(begin + got, begin + chunk.length, signal);
          this.#answered = true;
          // A file of one chunk is the same either way.
          if (opened.whole && (begin + got > 0 || chunk.length < size)) {
            await opened.stream.cancel();
            throw new RangesRefused();
          }
          await this.#take(opened.stream, signal, (piece) => {
            alive(piece.length);
            if (got + piece.length > chunk.length) throw tooLong(what, begin + chunk.length);
            chunk.set(piece, got);
            got += piece.length;
            onReceived(piece.length);
          });
          if (got < chunk.length) throw cutOff(what, begin + got, begin + chunk.length);
        }),
      retry,
      this.#signal,
      () => got,
    );
    return chunk;
  }

  /** The whole file over one connection, from its start at each attempt; chunks that are stored already are skipped. */
  async #fetchWhole(stored: (index: number) => void): Promise<void> {
    const { range, retry, what, size, pending, name, onReceived } = this.#options;
    let furthest = 0;
    await withRetries(
      () =>
        this.#attempt(async (signal, alive) => {
          const sums = await pending.sums(name);
          const opened = await range(0, null, signal);
          let index = 0;
          let chunk = new Uint8Array(this.#length(0));
          let held = 0;
          let got = 0;
          await this.#take(opened.stream, signal, async (piece) => {
            if (got + piece.length > size) throw tooLong(what, size);
            got += piece.length;
            onReceived(piece.length);
            for (let at = 0; at < piece.length; ) {
              const part = piece.subarray(at, at + chunk.length - held);
              chunk.set(part, held);
              held += part.length;
              at += part.length;
              alive(part.length);
              if (held < chunk.length) continue;
              if (sums.get(index)?.bytes !== chunk.length) await alive.own(this.#store(index, chunk));
              stored(index);
              index += 1;
              held = 0;
              chunk = new Uint8Array(this.#length(index));
              furthest = Math.max(furthest, got);
            }
          });
          if (got < size) throw cutOff(what, got, size);
        }),
      retry,
      this.#signal,
      () => furthest,
    );
  }

  /** One attempt, which ends where the server falls silent. */
  #attempt(attempt: (signal: AbortSignal, alive: Pulse) => Promise<void>): Promise<void> {
    const { retry, what } = this.#options;
    return whileAlive(attempt, retry.silence, this.#signal, () => silentError(what, retry.silence));
  }

  /** A stream's pieces; one that breaks may be tried again. */
  async #take(
    stream: ReadableStream<Bytes>,
    signal: AbortSignal,
    use: (piece: Bytes) => void | Promise<void>,
  ): Promise<void> {
    const iterator = pieces(stream, this.#options.what, signal);
    for (;;) {
      const next = await iterator.next().catch((thrown: unknown) => {
        throw thrown instanceof LabError && thrown.code === 'network' ? new PassingFailure(thrown) : thrown;
      });
      if (next.done) return;
      try {
        await use(next.value);
      } catch (thrown) {
        await iterator.return(undefined);
        throw thrown;
      }
    }
  }

  /** Reads the chunks back in order; returns the digest of the whole file. */
  async #follow(arrived: (index: number) => Promise<void>, onBytes: (bytes: Bytes) => void): Promise<string> {
    const { digest, size } = this.#options;
    const hash = await hasherFor(digest?.kind ?? 'sha256', size);
    for (let index = 0; index < this.#chunks; index += 1) {
      await arrived(index);
      throwIfAborted(this.#signal, 'The load');
      const bytes = await this.#sound(index);
      hash.update(bytes);
      this.#check(bytes, onBytes);
    }
    return hash.digest('hex');
  }

  #check(bytes: Bytes, onBytes: (bytes: Bytes) => void): void {
    try {
      onBytes(bytes);
    } catch (thrown) {
      this.#refused = true;
      throw thrown;
    }
  }

  /** A stored chunk with the digest that it was stored with; one that was spoilt since is fetched again. */
  async #sound(index: number): Promise<Bytes> {
    const { pending, name } = this.#options;
    const bytes = await pending.readChunk(name, index);
    const sum = await pending.sum(name, index);
    if (bytes && sum && bytes.length === sum.bytes && (await sha256(bytes)) === sum.sha256) return bytes;
    await pending.dropChunk(name, index);
    const again = await this.#fetch(index).catch((thrown: unknown) => {
      if (!(thrown instanceof RangesRefused)) throw thrown;
      throw new LabError('bad-download', `${this.#options.what}: a stored chunk was corrupted.`, 'Load it again.');
    });
    await this.#store(index, again);
    return again;
  }

  /**
   * The file's digest is known, the chunks' are not: fetches each chunk once more and keeps those that differ.
   * True when the whole is then right.
   */
  async #replaceWrongChunks(): Promise<boolean> {
    const { pending, name, digest } = this.#options;
    const sums = await pending.sums(name);
    const replace = async (index: number): Promise<void> => {
      const again = await this.#fetch(index);
      if ((await sha256(again)) !== sums.get(index)?.sha256) await this.#store(index, again);
    };
    try {
      for (let index = 0; index < this.#chunks; index += 1) await replace(index);
    } catch (thrown) {
      if (!(thrown instanceof RangesRefused)) throw thrown;
      await pending.dropFile(name);
      await this.#fetchWhole(() => undefined);
    }
    return (
      (await this.#follow(
        async () => undefined,
        () => undefined,
      )) === digest?.hex
    );
  }

  async #store(index: number, chunk: Bytes): Promise<void> {
    const sum = { bytes: chunk.length, sha256: await sha256(chunk) };
    await this.#options.pending.putSummed(this.#options.name, index, new Blob([chunk]), sum);
  }

  #length(index: number): number {
    return Math.max(0, Math.min(this.#chunkBytes, this.#options.size - index * this.#chunkBytes));
  }
}

/** A promise that another place settles. */
function gate(): { promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void } {
  let resolve: () => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function cutOff(what: string, got: number, expected: number): PassingFailure {
  return new PassingFailure(networkError(what, new Error(`cut off: received ${got} of ${expected} bytes`)));
}

function tooLong(what: string, expected: number): LabError {
  return new LabError('bad-download', `${what} is too long: expected ${expected} bytes, got more.`, 'Load it again.');
}
