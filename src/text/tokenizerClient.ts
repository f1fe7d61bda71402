/**
 * @file A tokenizer in a thread of its own: tokenizer.json is a program from outside, and some text can make a regular
 * expression in it run for ever. A thread that is silent for too long, or whose call is cancelled, is ended; the next call
 * opens it again.
 */
import { abortedError, LabError } from '../errors';
import { badTokenizer } from './pipeline/bounds';
import { hasWebWorkers, Thread, type ThreadCall, type ThreadOptions, type WorkerLike } from './thread';
import type { EncodeOptions, Tokenizer, TokenizerFacts } from './tokenizer';
import { type TokenizerTexts, tokenizerMethods } from './tokenizerThread';

/** Longest silence while a tokenizer works, in ms: opening 256,000 tokens on a slow machine takes a few seconds. */
const patience = 20_000;

export interface TokenizerThreadOptions {
  /** null: no worker. Another one in tests. */
  spawn?: ThreadOptions['spawn'];
  patience?: number;
  signal?: AbortSignal | undefined;
}

/** Characters of a text. */
const maxText = 2 ** 25;

/** Where there are workers, one. */
function spawnWorker(): WorkerLike {
  return new Worker(new URL('./tokenizer.worker.ts', import.meta.url), { type: 'module', name: 'tokenizer' });
}

export interface ThreadedTokenizer extends Tokenizer {
  encode(text: string, options?: EncodeOptions): Promise<number[]>;
  decode(ids: readonly number[], options?: { skipSpecial?: boolean }): Promise<string>;
  /** Ends the thread. */
  close(): void;
}

/** Opens a tokenizer, which tries itself on a sentence. Throws 'bad-tokenizer', 'aborted'. */
export async function openTokenizerThread(
  texts: TokenizerTexts,
  vocab: number,
  options: TokenizerThreadOptions = {},
): Promise<ThreadedTokenizer> {
  const client = new Client(texts, vocab, options);
  const facts = await client.open(options.signal);
  return Object.assign(client, facts) as Client & TokenizerFacts;
}

class Client {
  readonly #texts: TokenizerTexts;
  readonly #vocab: number;
  readonly #options: TokenizerThreadOptions;
  #thread: Thread | null = null;
  #opening: Promise<TokenizerFacts> | null = null;
  #closed = false;

  constructor(texts: TokenizerTexts, vocab: number, options: TokenizerThreadOptions) {
    this.#texts = texts;
    this.#vocab = vocab;
    this.#options = options;
  }

  /** The thread, opened; a fresh one where the last has ended. */
  async open(signal?: AbortSignal): Promise<TokenizerFacts> {
    if (this.#closed) throw abortedError('The work of a tokenizer that was closed');
    if (!this.#thread || this.#thread.ended || !this.#opening) {
      const { spawn = hasWebWorkers() ? spawnWorker : null } = this.#options;
      this.#thread = new Thread({
        spawn,
        methods: tokenizerMethods(),
        patience: this.#options.patience ?? patience,
        failed: (what) =>
          badTokenizer(
            `The tokenizer was stopped: ${what}`,
            'Use another text, or the tokenizer.json that belongs to the model.',
          ),
      });
      this.#opening = this.#thread.call('open', [this.#texts, this.#vocab], { signal }) as Promise<TokenizerFacts>;
    }
    return this.#opening;
  }

  /** One call; again where the thread went because of another call. */
  async #call(method: string, args: readonly unknown[], task: ThreadCall): Promise<unknown> {
    for (;;) {
      try {
        await this.open();
        return await this.#thread!.call(method, args, task);
      } catch (thrown) {
        const another = thrown instanceof LabError && thrown.code === 'aborted' && !task.signal?.aborted;
        if (!another || this.#closed) throw thrown;
      }
    }
  }

  async encode(text: string, { specialTokens = false, signal, onProgress }: EncodeOptions = {}): Promise<number[]> {
    if (typeof text !== 'string' || text.length > maxText) {
      const got = typeof text === 'string' ? `${(text as string).length} characters` : `a ${typeof text}`;
      throw new LabError(
        'bad-argument',
        `text: expected a string of at most ${maxText} characters, got ${got}.`,
        'Use another text.',
      );
    }
    const onHeard = (done: number, total: number): void =>
      onProgress?.({ stage: 'Tokenizing the text', done: Math.floor(done), total, unit: 'characters' });
    const ids = await this.#call('encode', [text, specialTokens], { signal, onHeard });
    return Array.from(ids as Int32Array);
  }

  async decode(ids: readonly number[], { skipSpecial = false }: { skipSpecial?: boolean } = {}): Promise<string> {
    if (!Array.isArray(ids)) {
      throw new LabError(
        'bad-argument',
        `Token ids: expected a list, got a ${typeof ids}.`,
        'Pass token ids of this model.',
      );
    }
    return (await this.#call('decode', [[...ids], skipSpecial], {})) as string;
  }

  close(): void {
    this.#closed = true;
    this.#thread?.end(abortedError('The work of a tokenizer that was closed'));
  }
}
