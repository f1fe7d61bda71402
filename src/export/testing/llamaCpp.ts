/**
 * @file For tests: llama.cpp in Node, by the WebAssembly build of the package @wllama/wllama. It is made for browsers: a thread of
 * Node stands in for its worker. Version 2.3.7 is the last whose memory has 32-bit addresses, which Node 20 needs.
 */
import { resolveObjectURL } from 'node:buffer';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker as Thread } from 'node:worker_threads';
import type { ExportedFile } from '../exported';

/** What a worker of a browser has and a thread lacks. */
const prelude = `
const { parentPort } = require('node:worker_threads');
globalThis.self = globalThis;
globalThis.postMessage = (data, transfer) => parentPort.postMessage(data, transfer);
parentPort.on('message', (data) => globalThis.onmessage({ data }));
`;

/** A browser's Worker on a thread. The library makes it from the URL of a Blob of code. */
class ThreadWorker {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((error: unknown) => void) | null = null;
  readonly #thread: Promise<Thread>;

  constructor(url: string) {
    this.#thread = this.#start(url);
    this.#thread.catch((error: unknown) => this.onerror?.(error));
  }

  async #start(url: string): Promise<Thread> {
    const code = await resolveObjectURL(url)!.text();
    const thread = new Thread(prelude + code, { eval: true });
    thread.on('message', (data: unknown) => this.onmessage?.({ data }));
    thread.on('error', (error: unknown) => this.onerror?.(error));
    return thread;
  }

  postMessage(data: unknown): void {
    void this.#thread.then((thread) => thread.postMessage(data));
  }

  terminate(): void {
    void this.#thread.then((thread) => thread.terminate());
  }
}

/** What we call of the library. */
interface Engine {
  loadModel(blobs: readonly Blob[], options: Readonly<Record<string, unknown>>): Promise<void>;
  getLoadedContextInfo(): { readonly n_vocab: number };
  getModelMetadata(): { readonly meta: Readonly<Record<string, string>> };
  kvClear(): Promise<void>;
  decode(tokens: readonly number[], options: object): Promise<unknown>;
  getLogits(most: number): Promise<readonly { readonly token: number; readonly p: number }[]>;
  tokenize(text: string): Promise<number[]>;
  getBOS(): number;
  getEOS(): number;
  mustAddBosToken(): boolean;
  exit(): Promise<void>;
}
interface Library {
  readonly Wllama: new (paths: object, options: object) => Engine;
}

export interface LlamaCpp {
  /** Probabilities of the token behind these ones, all of them by id: [vocab]. */
  probabilities(tokens: readonly number[]): Promise<Float64Array>;
  /** Ids of a text, without those that stand before and behind it. */
  tokenize(text: string): Promise<number[]>;
  /** Values of the header, as llama.cpp writes them. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly bos: number;
  readonly eos: number;
  readonly addsBos: boolean;
  close(): Promise<void>;
}

/** The bytes of a file. */
export async function bytesOfFile(file: ExportedFile): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of file.pieces()) parts.push(piece);
  return new Blob(parts);
}

/** Gives the global object these properties; the function that comes back takes them away. */
function standIn(properties: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(properties).map((key) => [key, Object.getOwnPropertyDescriptor(globalThis, key)] as const);
  for (const [key, value] of Object.entries(properties)) {
    Object.defineProperty(globalThis, key, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [key, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, key, descriptor);
      else Reflect.deleteProperty(globalThis, key);
    }
  };
}

/** Opens a GGUF file. Rejects with what llama.cpp says. */
export async function openLlamaCpp(file: ExportedFile): Promise<LlamaCpp> {
  const { resolve } = createRequire(import.meta.url);
  const wasm = resolve('@wllama/wllama/esm/single-thread/wllama.wasm');
  // By its place: the package names no entry that Node finds.
  const library: Library = await import(pathToFileURL(resolve('@wllama/wllama/esm/index.js')).href);
  const log: string[] = [];
  const keep = (...words: unknown[]): void => void log.push(words.join(' '));
  const logger = { debug: keep, log: keep, warn: keep, error: keep };
  const engine = new library.Wllama({ 'single-thread/wllama.wasm': wasm }, { logger, suppressNativeLog: false });
  // The library asks for them at every call.
  const restore = standIn({
    Worker: ThreadWorker,
    document: { baseURI: 'file:///' },
    navigator: { userAgent: 'Node', hardwareConcurrency: 1 },
  });
  try {
    await engine.loadModel([await bytesOfFile(file)], {
      n_ctx: 64,
      n_batch: 64,
      n_threads: 1,
      seed: 1,
      cache_type_k: 'f32',
      cache_type_v: 'f32',
    });
  } catch (thrown) {
    restore();
    const reason = thrown instanceof Error ? thrown.message : JSON.stringify(thrown);
    throw new Error(`llama.cpp: ${reason}\n${log.slice(-12).join('\n')}`, { cause: thrown });
  }
  const { n_vocab: vocab } = engine.getLoadedContextInfo();
  return {
    async probabilities(tokens) {
      await engine.kvClear();
      await engine.decode([...tokens], {});
      const found = new Float64Array(vocab).fill(Number.NaN);
      for (const { token, p } of await engine.getLogits(-1)) found[token] = p;
      return found;
    },
    tokenize: (text) => engine.tokenize(text),
    metadata: engine.getModelMetadata().meta,
    bos: engine.getBOS(),
    eos: engine.getEOS(),
    addsBos: engine.mustAddBosToken(),
    async close() {
      await engine.exit();
      restore();
    },
  };
}
