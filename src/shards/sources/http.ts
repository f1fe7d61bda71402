/**
 * @file Every request for a file, whatever the place: tried again when what failed may pass, bounded in silence, size and
 * number; what a server answers is a file of the version that was begun, or an error that says what came instead.
 */
import { createSHA256, type IHasher } from 'hash-wasm';
import { LabError } from '../../errors';
import { htmlInsteadOf } from '../../io/json';
import { networkError, silentError } from '../../io/networkErrors';
import {
  defaultRetryPolicy,
  mayPass,
  PassingFailure,
  type Pulse,
  type RetryPolicy,
  retryAfter,
  whileAlive,
  withRetries,
} from '../../io/retry';
import { collect, pieces } from '../../io/streams';
import { compareValidators, strongTag, validatorOf } from '../store/validator';
import { ChangedOnTheWay } from './freshness';
import { httpError } from './sourceErrors';

type Bytes = Uint8Array<ArrayBuffer>;

/** How requests are made, and how often. */
export interface Transport {
  readonly fetcher: typeof fetch;
  readonly retry: RetryPolicy;
}

/** For files that lie beside the page: the page came from there itself, so there is no wait for a connection. */
export function pageTransport(): Transport {
  const fetcher: typeof fetch = (input, init) => globalThis.fetch(input, init);
  return { fetcher, retry: { ...defaultRetryPolicy, attempts: 3, line: null } };
}

/** A request, and the meaning of its refusal. */
export interface Asked {
  readonly url: URL;
  readonly file: string;
  /** Whose file it is; for messages. */
  readonly label: string;
  readonly init?: RequestInit;
  readonly refusal?: (response: Response) => LabError | PassingFailure;
}

/** One request; its answer is a success. Throws PassingFailure for failures that may pass. */
export async function ask(
  { url, file, label, init = {}, refusal }: Asked,
  fetcher: typeof fetch,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const response = await fetcher(url, { ...init, signal: signal ?? null }).catch((thrown: unknown) => {
    const error = networkError(`${file} of ${label}`, thrown);
    throw error.code === 'network' ? new PassingFailure(error) : error;
  });
  if (response.ok) return response;
  await response.body?.cancel().catch(() => undefined); // its connection may be gone: the status was all we wanted
  throw refusal?.(response) ?? refused(file, label, response);
}

/** The error for a status; a PassingFailure where it may pass. */
export function refused(file: string, label: string, response: Response): LabError | PassingFailure {
  const error = httpError(file, label, response);
  return mayPass(response.status) ? new PassingFailure(error, retryAfter(response)) : error;
}

/** Does `use` with the answer to a request, as often as the policy allows. */
export function asking<T>(
  asked: Asked,
  { fetcher, retry }: Transport,
  signal: AbortSignal | undefined,
  use: (response: Response, signal: AbortSignal, alive: Pulse) => Promise<T>,
): Promise<T> {
  const what = `${asked.file} of ${asked.label}`;
  const attempt = async (own: AbortSignal, alive: Pulse): Promise<T> => use(await ask(asked, fetcher, own), own, alive);
  const patient = (): Promise<T> => whileAlive(attempt, retry.silence, signal, () => silentError(what, retry.silence));
  return withRetries(patient, retry, signal);
}

/** A small file whole. Throws 'bad-source' beyond `maxBytes`. */
export function readWhole(
  asked: Asked,
  transport: Transport,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Bytes> {
  const what = `${asked.file} of ${asked.label}`;
  return asking(asked, transport, signal, async (response, own, alive) => {
    const bytes = await collect(bodyOf(response), what, maxBytes, own, alive).catch(passing);
    const size = certainSize(response);
    if (size !== null && bytes.length !== size) throw cutOff(what, bytes.length, size);
    return bytes;
  });
}

/** A text that lies beside the page. A web page in its place is refused. */
export async function readPageText(
  url: URL,
  file: string,
  { fetcher, retry }: Transport,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const asked: Asked = { url, file, label: 'this page' };
  const bytes = await asking(asked, { fetcher, retry }, signal, async (response, own, alive) => {
    if (isPage(response)) {
      await response.body?.cancel();
      throw htmlInsteadOf(file);
    }
    return collect(bodyOf(response), file, maxBytes, own, alive).catch(passing);
  });
  return new TextDecoder().decode(bytes);
}

/**
 * The bytes of a file whose first answer is there, and their SHA-256 once the stream has ended: when the line breaks the rest is asked for, by the version's own tag
 * where the server has one; else the file comes again from its start, and what was passed on already must be the same.
 * Throws ChangedOnTheWay for a file that became another one.
 */
export function steadyStream(
  asked: Asked,
  { fetcher, retry }: Transport,
  first: Response,
  signal: AbortSignal | undefined,
): { stream: ReadableStream<Bytes>; sha256(): string | undefined } {
  const { readable, writable } = new TransformStream<Bytes, Bytes>();
  let digest: string | undefined;
  const writer = writable.getWriter();
  const given = new AbortController();
  // A reader that goes ends the requests, too.
  writer.closed.catch(() => given.abort());
  const both = signal ? AbortSignal.any([signal, given.signal]) : given.signal;
  pump(asked, { fetcher, retry }, first, both, (piece) => writer.write(piece)).then(
    (whole) => {
      digest = whole;
      return writer.close().catch(() => undefined); // the reader has left
    },
    (thrown: unknown) => writer.abort(thrown).catch(() => undefined),
  );
  return { stream: readable, sha256: () => digest };
}

/** Returns the digest of the bytes that it has passed on. */
async function pump(
  asked: Asked,
  { fetcher, retry }: Transport,
  first: Response,
  signal: AbortSignal,
  write: (piece: Bytes) => Promise<void>,
): Promise<string> {
  const what = `${asked.file} of ${asked.label}`;
  const version = validatorOf(first);
  const size = certainSize(first);
  const tag = strongTag(version);
  const passedOn = await createSHA256();
  passedOn.init();
  let got = 0;
  let ranges = true;
  let response: Response | null = first;

  const resumed = async (own: AbortSignal): Promise<Response> => {
    if (tag === null || got === 0 || !ranges) return ask(asked, fetcher, own);
    const headers = { ...(asked.init?.headers as Record<string, string>), Range: `bytes=${got}-`, 'If-Range': tag };
    // A server may not allow these headers to other pages: the next attempt does without them.
    ranges = false;
    const answer = await ask({ ...asked, init: { ...asked.init, headers } }, fetcher, own);
    ranges = true;
    return answer;
  };

  const attempt = async (own: AbortSignal, alive: Pulse): Promise<void> => {
    const answer: Response = response ?? (await resumed(own));
    response = null;
    const { part, begin } = partOf(answer);
    if (part && strongTag(validatorOf(answer)) !== tag) {
      // Not every server heeds If-Range: what does not say that it is the same version is not joined.
      await answer.body?.cancel();
      ranges = false;
      throw new PassingFailure(networkError(what, new Error('the server sent a range without its version')));
    }
    if (part && begin !== got) {
      await answer.body?.cancel();
      ranges = false;
      throw new PassingFailure(networkError(what, new Error('the server sent another range')));
    }
    if (isPage(answer)) throw new PassingFailure(networkError(what, new Error('the server sent a web page instead')));
    if (!part && compareValidators(version, validatorOf(answer)) === 'changed') {
      await answer.body?.cancel();
      throw new ChangedOnTheWay([asked.file], asked.label);
    }
    let again = part ? null : await Prefix.of(passedOn, got);
    const iterator = pieces(bodyOf(answer), what, own);
    try {
      for (;;) {
        const next = await iterator.next().catch(passing);
        if (next.done) break;
        alive(next.value.length);
        const piece = again?.pass(next.value) ?? next.value;
        if (again?.differs()) throw new ChangedOnTheWay([asked.file], asked.label);
        if (again?.over()) again = null;
        if (piece.length === 0) continue;
        passedOn.update(piece);
        got += piece.length;
        await alive.own(write(piece));
      }
    } finally {
      await iterator.return(undefined);
    }
    if (again !== null || (size !== null && got < size)) throw cutOff(what, got, size ?? got);
  };
  const patient = (): Promise<void> =>
    whileAlive(attempt, retry.silence, signal, () => silentError(what, retry.silence));
  await withRetries(patient, retry, signal, () => got);
  return passedOn.digest('hex');
}

/** The beginning of a file that comes a second time: it must have the digest of the bytes that were passed on. */
class Prefix {
  readonly #expected: string;
  readonly #hash: IHasher;
  #left: number;
  #wrong = false;

  private constructor(expected: string, hash: IHasher, left: number) {
    this.#expected = expected;
    this.#hash = hash;
    this.#left = left;
  }

  /** Null where nothing was passed on. */
  static async of(passedOn: IHasher, bytes: number): Promise<Prefix | null> {
    if (bytes === 0) return null;
    const [copy, hash] = await Promise.all([createSHA256(), createSHA256()]);
    return new Prefix(copy.load(passedOn.save()).digest('hex'), hash.init(), bytes);
  }

  /** The part of a piece after the beginning. */
  pass(piece: Bytes): Bytes {
    const known = piece.subarray(0, this.#left);
    this.#hash.update(known);
    this.#left -= known.length;
    if (this.#left === 0) this.#wrong = this.#hash.digest('hex') !== this.#expected;
    return piece.subarray(known.length);
  }

  over(): boolean {
    return this.#left === 0;
  }

  differs(): boolean {
    return this.#wrong;
  }
}

/** Whether an answer is a part of the file, and where it begins. */
function partOf(response: Response): { part: boolean; begin: number | null } {
  if (response.status !== 206) return { part: false, begin: 0 };
  const stated = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
  return { part: true, begin: stated ? Number(stated[1]) : null };
}

/** A failure of the line, which may pass; any other as it is. For `.catch`. */
export function passing(thrown: unknown): never {
  throw thrown instanceof LabError && thrown.code === 'network' ? new PassingFailure(thrown) : thrown;
}

function cutOff(what: string, got: number, expected: number): PassingFailure {
  return new PassingFailure(networkError(what, new Error(`cut off: received ${got} of ${expected} bytes`)));
}

export function bodyOf(response: Response): ReadableStream<Bytes> {
  return response.body ?? new Blob().stream();
}

/** Servers of single-page apps answer every address with a page; no file of a model is one. */
export function isPage(response: Response): boolean {
  return /^\s*text\/html/i.test(response.headers.get('content-type') ?? '');
}

/** Content-Length: enough for estimates. */
export function statedSize(response: Response): number | null {
  const text = response.headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(text) && !response.headers.has('content-encoding') ? Number(text) : null;
}

/**
 * Content-Length where it surely counts what the stream gives: with a content encoding it counts compressed bytes,
 * and an answer from another origin hides whether there is one.
 */
export function certainSize(response: Response): number | null {
  return response.type === 'cors' ? null : statedSize(response);
}
