/** @file The one error type that leaves a room on purpose: where, what was expected, what came, what to do. */

/** Machine-readable causes. A code is part of the `lab` contract: add freely, rename nothing. */
export type ErrorCode =
  | 'aborted' // the caller's AbortSignal fired
  | 'no-webgpu' // no usable adapter or device in this browser
  | 'device-lost' // the GPU device vanished while working
  | 'out-of-memory' // a GPU or wasm allocation failed
  | 'unsupported-limit' // a tensor exceeds what the adapter can bind
  | 'bad-source' // the source string, folder or file list cannot be a model
  | 'missing-file' // a file that a checkpoint needs is not there
  | 'bad-config' // config.json is malformed
  | 'unsupported-architecture' // a well-formed config.json of a family that we do not run
  | 'bad-safetensors' // header or ranges of a shard are inconsistent
  | 'bad-weights' // tensors do not fit the configuration
  | 'bad-tokenizer' // tokenizer.json is malformed or does not fit the vocabulary
  | 'network' // a request failed
  | 'gated' // the source wants a token, or another one
  | 'changed' // what lies behind an address is no longer what is stored, and a person is to be asked
  | 'bad-download' // the bytes that arrived are not the file's
  | 'quota' // the browser's storage is full
  | 'storage' // IndexedDB refused for another reason
  | 'not-loaded' // no model is open
  | 'not-found' // an id that nobody knows (variant, stored model)
  | 'bad-argument' // an argument outside its domain
  | 'bad-plan' // a pruning plan that does not fit the model
  | 'bad-report' // a link or a file that holds no whole report
  | 'bad-record' // a record of measurements that does not fit its schema
  | 'not-available' // a method that a later version brings
  | 'self-check' // two runtimes disagree: the number is withheld
  | 'non-finite' // a weight, a state or a result is infinite or not a number: no number is given
  | 'runtime' // ONNX Runtime failed
  | 'no-answer' // ONNX Runtime stopped answering
  | 'worker' // the laboratory's worker died
  | 'internal'; // a bug of ours

/** Longest message and longest remedy: a file may hold anything, and an error must stay readable. */
const longestText = 1500;

/** Control characters except line ends and tabs, marks that change the direction of text, and invisible characters. */
const unreadable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be shown as they are
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\u{e0000}-\u{e0fff}]/gu;

/**
 * A text that may hold what others wrote, fit to be shown: bounded, and with control and direction characters written
 * out, so that it can neither rearrange the page nor a terminal.
 */
export function readable(text: string, longest = longestText): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(unreadable, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** Any value from outside as a short text for an error's message. Never throws, however deep or large the value is. */
export function shown(value: unknown, longest = 100): string {
  if (typeof value === 'string') return `'${readable(value, longest)}'`;
  if (value === undefined) return 'nothing';
  try {
    return readable(jsonStart(value, longest), longest);
  } catch {
    return 'a value that cannot be shown';
  }
}

/** The first characters of a value's JSON, without walking the rest of it. */
function jsonStart(value: unknown, longest: number, depth = 0): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, longest + 1));
  if (typeof value !== 'object' || value === null) return String(value);
  const list = Array.isArray(value);
  if (depth === 4) return list ? '[…]' : '{…}';
  let text = list ? '[' : '{';
  const keys = list ? null : Object.keys(value);
  const length = list ? value.length : keys!.length;
  for (let i = 0; i < length && text.length <= longest; i++) {
    const key = keys?.[i];
    const item: unknown = key === undefined ? (value as unknown[])[i] : (value as Record<string, unknown>)[key];
    const name = key === undefined ? '' : `${JSON.stringify(key.slice(0, longest + 1))}:`;
    text += `${i > 0 ? ',' : ''}${name}${jsonStart(item, longest, depth + 1)}`;
  }
  return `${text}${list ? ']' : '}'}`;
}

/** A failure that a user can act on. `message` says where, expected and got; `remedy` says what to do. */
export class LabError extends Error {
  override readonly name = 'LabError';
  readonly code: ErrorCode;
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, remedy: string, options?: { cause?: unknown }) {
    super(readable(message), options);
    this.code = code;
    this.remedy = readable(remedy);
  }
}

/** The error that every cancelled task rejects with. */
export function abortedError(what = 'The task'): LabError {
  return new LabError('aborted', `${what} was cancelled.`, 'You can start it again; nothing stored was lost.');
}

/** Throws when `signal` has fired. Call between submissions and between chunks. */
export function throwIfAborted(signal: AbortSignal | undefined, what?: string): void {
  if (signal?.aborted) throw abortedError(what);
}

/** `work`, but rejects at once when `signal` fires; the work itself, which cannot be stopped, goes on unheard. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, what?: string): Promise<T> {
  if (signal === undefined) return work;
  if (signal.aborted) {
    work.catch(() => undefined); // nobody hears of it any more
    throw abortedError(what);
  }
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(abortedError(what));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Whether shared work failed because its first caller left: the others start it again. */
export function anotherAborted(thrown: unknown, own: AbortSignal | undefined): boolean {
  return thrown instanceof LabError && thrown.code === 'aborted' && own?.aborted !== true;
}

/** Any thrown value as a LabError; what was not thrown on purpose becomes `internal`. */
export function toLabError(thrown: unknown): LabError {
  if (thrown instanceof LabError) return thrown;
  if (thrown instanceof DOMException && thrown.name === 'AbortError') return abortedError();
  if (thrown instanceof DOMException && thrown.name === 'QuotaExceededError') {
    return new LabError(
      'quota',
      `The browser's storage is full: ${thrown.message}`,
      'Forget a stored model, or free disk space, and load again.',
      { cause: thrown },
    );
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new LabError('internal', message, 'This is a bug in Secateur: please report it with the console output.', {
    cause: thrown,
  });
}
