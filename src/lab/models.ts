/** @file The models that the laboratory can open: from a source through the store, with tokenizer and card. */
import { LabError } from '../errors';
import type { ModelShape } from '../model/shape';
import type { WeightSource } from '../model/weights';
import type { Checkpoint } from '../shards/checkpoint';
import { type LoadedModel, loadModel, openStored } from '../shards/load';
import { tokenizerConfigFile, tokenizerFile } from '../shards/modelFiles';
import { openSource } from '../shards/repository';
import { openShardStore, type ShardStore, type StoredModel } from '../shards/shardStore';
import type { TaskOptions } from '../task';
import { openTokenizer, type Tokenizer } from '../text/tokenizer';
import { demoVersion } from './demoVersion';
import type { LoadOptions, ModelInfo, Source } from './types';

/** An open model: everything but its weights is in memory. */
export interface OpenModel {
  readonly info: ModelInfo & { readonly shape: ModelShape };
  readonly weights: WeightSource;
  readonly checkpoint: Checkpoint;
  readonly tokenizer: Tokenizer | null;
  /** Token that begins a text, null where the model names none. */
  readonly startOfText: number | null;
  /** Tokens that end a text. */
  readonly endsOfText: readonly number[];
  /** The tokenizer. @throws LabError 'bad-tokenizer' for a model that came without one. */
  requireTokenizer(): Tokenizer;
}

function infoOf(stored: StoredModel, downloadedBytes: number): ModelInfo {
  const { id, source, revision, bytes, lastUsed, summary } = stored;
  return { id, source, revision, ...summary, storedBytes: bytes, downloadedBytes, lastUsed };
}

/** tokenizer.json and its configuration as a tokenizer that fits the vocabulary; null when the model has none. */
function parseTokenizer(text: (name: string) => string | null, vocab: number): Tokenizer | null {
  const tokenizer = text(tokenizerFile);
  if (tokenizer === null) return null;
  const config = text(tokenizerConfigFile);
  const parse = (name: string, json: string): unknown => {
    try {
      return JSON.parse(json);
    } catch (cause) {
      throw new LabError(
        'bad-tokenizer',
        `${name} is not JSON.`,
        'Fetch the file again, or load the model without it.',
        { cause },
      );
    }
  };
  return openTokenizer(
    parse(tokenizerFile, tokenizer),
    config === null ? null : parse(tokenizerConfigFile, config),
    vocab,
  );
}

export class ModelLibrary {
  #store: Promise<ShardStore> | null = null;

  /** Opens the store; broken loads of earlier sessions are removed then. */
  #open(): Promise<ShardStore> {
    this.#store ??= openShardStore().catch((thrown: unknown) => {
      this.#store = null;
      throw thrown;
    });
    return this.#store;
  }

  async load(source: Source, _options: Omit<LoadOptions, keyof TaskOptions>, task: TaskOptions): Promise<OpenModel> {
    const store = await this.#open();
    return openModel(await this.#loaded(store, source, task));
  }

  async #loaded(store: ShardStore, source: Source, task: TaskOptions): Promise<LoadedModel> {
    // What came from disk has no address: its stored id stands for it.
    if (typeof source === 'string' && source.startsWith('files:')) return openStored(store, source, task.signal);
    const repository = await openSource(source, { baseUrl: pageUrl(), demoVersion });
    return loadModel(repository, store, {
      ...task,
      inspect: ({ config, text }) => void parseTokenizer(text, config.shape.vocab),
    });
  }

  async stored(): Promise<ModelInfo[]> {
    return (await (await this.#open()).list()).map((model) => infoOf(model, 0));
  }

  async forget(id: string): Promise<void> {
    const store = await this.#open();
    if (!(await store.find(id))) {
      const ids = (await store.list()).map((model) => model.id).join(', ') || 'none';
      throw new LabError('not-found', `No stored model has the id '${id}' (stored: ${ids}).`, 'See lab.stored().');
    }
    await store.remove(id);
  }
}

/** The page's address: a worker's own is inside the build's assets. */
export function pageUrl(): string {
  const base = new URL(import.meta.env.BASE_URL, self.location.href);
  return import.meta.env.DEV ? base.href : new URL('../', self.location.href).href;
}

async function openModel({ stored, checkpoint, downloadedBytes }: LoadedModel): Promise<OpenModel> {
  const texts = new Map<string, string | null>();
  for (const name of [tokenizerFile, tokenizerConfigFile]) texts.set(name, await checkpoint.text(name));
  const tokenizer = parseTokenizer((name) => texts.get(name) ?? null, checkpoint.config.shape.vocab);
  const { bosTokenId, eosTokenIds } = checkpoint.config;
  return {
    info: infoOf(stored, downloadedBytes),
    weights: checkpoint,
    checkpoint,
    tokenizer,
    startOfText: tokenizer?.bosId ?? bosTokenId,
    endsOfText: eosTokenIds,
    requireTokenizer() {
      if (tokenizer) return tokenizer;
      throw new LabError(
        'bad-tokenizer',
        `The model '${stored.id}' came without tokenizer.json.`,
        'Give token ids, or load it with its tokenizer.json.',
      );
    },
  };
}
