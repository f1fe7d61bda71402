/** @file The models that the laboratory can open: from a source through the store, with tokenizer and card. */

import { engineLacks } from '../../engine/engine';
import { LabError, shown } from '../../errors';
import { defaultRetryPolicy, offlineStage, type RetryPolicy, waitStage } from '../../io/retry';
import { modelParameters } from '../../model/count';
import { refuseFeatures } from '../../model/features';
import type { ModelShape } from '../../model/shape';
import type { WeightSource } from '../../model/weights';
import type { DeviceInfo, ModelInfo } from '../../report/facts';
import { type LoadedModel, loadModel, openStored } from '../../shards/download/load';
import { previewModel } from '../../shards/download/preview';
import { hubEndpoint } from '../../shards/sources/hubRepository';
import { parseHubSource } from '../../shards/sources/hubSource';
import {
  addedTokensFile,
  generationConfigFile,
  specialTokensMapFile,
  tokenizerConfigFile,
  tokenizerFile,
} from '../../shards/sources/modelFiles';
import { openSource } from '../../shards/sources/openSource';
import type { Repository } from '../../shards/sources/repository';
import { sourceId, storedAs } from '../../shards/sources/sourceId';
import type { Checkpoint } from '../../shards/store/checkpoint';
import type { StoredModel } from '../../shards/store/manifest';
import type { PatchStore } from '../../shards/store/patchStore';
import { openShardStore, type ShardStore } from '../../shards/store/shardStore';
import type { TrainingStore } from '../../shards/store/trainingStore';
import type { TaskOptions } from '../../task';
import { openTokenizerThread, type ThreadedTokenizer } from '../../text/tokenizerClient';
import { refuseForDevice } from '../contract/deviceBudget';
import type { ModelPreview, Source, UnfinishedDownload } from '../contract/types';
import { demoVersion } from './demoVersion';
import { endsOfText, promptIds } from './generation';
import { pageUrl } from './pageUrl';
import { checkedChoice, type SourceChoice } from './sourceChoice';
import { Tokens } from './tokens';

/** An open model: everything but its weights is in memory. */
export interface OpenModel {
  readonly info: ModelInfo & { readonly shape: ModelShape };
  readonly weights: WeightSource;
  readonly checkpoint: Checkpoint;
  /** The weights of its variants. */
  readonly patches: PatchStore;
  /** Its trainings that can go on. */
  readonly trainings: TrainingStore;
  readonly tokenizer: ThreadedTokenizer | null;
  /** Token ids of a text to continue: it begins as the tokenizer's own files say. Throws as `requireTokenizer`. */
  promptIds(text: string, signal?: AbortSignal): Promise<number[]>;
  /** Tokens that end a text. */
  readonly endsOfText: readonly number[];
  /** The tokenizer. @throws LabError 'bad-tokenizer' for a model that came without one. */
  requireTokenizer(): ThreadedTokenizer;
  /** It is read no more: its tokenizer's thread ends, and what another tab has forgotten may go. */
  close(): Promise<void>;
}

function infoOf(
  stored: StoredModel,
  downloadedBytes: number,
  opened: Pick<LoadedModel, 'notes' | 'outdated'> = { notes: [], outdated: false },
): ModelInfo {
  const { id, source, revision, bytes, lastUsed } = stored;
  const { ownHead: _, notes: read = [], ...summary } = stored.summary;
  const notes = [...opened.notes, ...read];
  const info = { id, source, revision, ...summary, storedBytes: bytes, downloadedBytes, lastUsed, notes };
  return opened.outdated ? { ...info, outdated: true } : info;
}

/** A tokenizer of its files that fits the vocabulary; null when the model has none. */
async function tokenizerOf(
  text: (name: string) => string | null,
  vocab: number,
  signal: AbortSignal | undefined,
): Promise<ThreadedTokenizer | null> {
  const tokenizer = text(tokenizerFile);
  if (tokenizer === null) return null;
  const texts = {
    tokenizer,
    config: text(tokenizerConfigFile),
    addedTokens: text(addedTokensFile),
    specialTokensMap: text(specialTokensMapFile),
  };
  return openTokenizerThread(texts, vocab, { signal });
}

export class ModelLibrary {
  readonly #onSuperseded: () => void;
  #store: Promise<ShardStore> | null = null;
  readonly #tokens = new Tokens();

  /** @param onSuperseded hears that a newer version of the page has taken the database over */
  constructor(onSuperseded: () => void = () => undefined) {
    this.#onSuperseded = onSuperseded;
  }

  /** Opens the store; broken loads of earlier sessions are removed then. */
  #open(): Promise<ShardStore> {
    this.#store ??= openShardStore({ onSuperseded: this.#onSuperseded }).catch((thrown: unknown) => {
      this.#store = null;
      throw thrown;
    });
    return this.#store;
  }

  /** `device`: what the model must fit before it is downloaded; null where there is none. */
  async load(
    source: Source,
    options: SourceChoice,
    task: TaskOptions,
    device: () => Promise<DeviceInfo | null> = async () => null,
  ): Promise<OpenModel> {
    const store = await this.#open();
    const checked = checkedChoice(source, options);
    const loaded = await this.#withToken(checked, (asked) => this.#loaded(store, source, asked, task, device));
    return openModel(loaded, store, task.signal);
  }

  /** What a load would fetch. */
  async preview(source: Source, options: SourceChoice, task: TaskOptions): Promise<ModelPreview> {
    return this.#withToken(checkedChoice(source, options), async (asked) => {
      const repository = await this.#repository(source, asked, task);
      const { config, ...rest } = await previewModel(repository, await this.#open(), task.signal);
      refuseFeatures(config.shape, engineLacks, 'Secateur');
      return { ...rest, architecture: config.architecture, shape: config.shape };
    });
  }

  #withToken<T>(choice: SourceChoice, work: (choice: SourceChoice) => Promise<T>): Promise<T> {
    return this.#tokens.serving(choice.hub ?? hubEndpoint, choice.token, (token) =>
      work(token === undefined ? choice : { ...choice, token }),
    );
  }

  #repository(
    source: Source,
    { revision, token, hub = hubEndpoint }: SourceChoice,
    task: TaskOptions,
    retry: RetryPolicy = defaultRetryPolicy,
  ): Promise<Repository> {
    const say = (stage: string): void => task.onProgress?.({ stage, done: 0, total: 0, unit: 'bytes' });
    const onWait = (wait: number): void => (wait < 2000 ? undefined : say(waitStage(wait)));
    return openSource(source, {
      baseUrl: pageUrl(),
      demoVersion,
      revision,
      token,
      signal: task.signal,
      retry: { onWait, onOffline: () => say(offlineStage), ...retry },
      hub,
    });
  }

  async #loaded(
    store: ShardStore,
    source: Source,
    options: SourceChoice,
    task: TaskOptions,
    device: () => Promise<DeviceInfo | null>,
  ): Promise<LoadedModel> {
    // What came from disk has no address: its stored id stands for it.
    if (typeof source === 'string' && source.startsWith('files:')) return openStored(store, source, task.signal);
    if (options.stored) return openStored(store, await storedIdOf(store, source, options), task.signal);
    const kept = typeof source === 'string' ? await currentOfHub(store, source, options) : null;
    // If a revision is stored, the user does not wait long for news of a newer one.
    const retry = kept ? { ...defaultRetryPolicy, attempts: 2, line: null } : defaultRetryPolicy;
    const repository = await this.#repository(source, options, task, retry).catch((thrown: unknown) => {
      // Without the network, the stored revision is the newest that one can have.
      if (kept && thrown instanceof LabError && thrown.code === 'network') return kept;
      throw thrown;
    });
    if (typeof repository === 'string') {
      const note = `The page could not ask the Hub for a newer version of ${source}. This is the stored one.`;
      return openStored(store, repository, task.signal, [note]);
    }
    return loadModel(repository, store, {
      ...task,
      changed: options.changed,
      inspect: async ({ config, text, weightBytes }) => {
        refuseFeatures(config.shape, engineLacks, 'Secateur');
        // Tried in a thread before the first weight comes: a file that never answers takes nothing else down.
        (await tokenizerOf(text, config.shape.vocab, task.signal))?.close();
        // What is on this machine already costs no download, and ONNX Runtime may still run it.
        if (repository.remote) refuseForDevice(repository.label, config.shape, weightBytes, await device());
      },
    });
  }

  async stored(): Promise<ModelInfo[]> {
    const store = await this.#open();
    const [models, patches] = [await store.list(), await store.patches.sizes()];
    const trainings = await store.trainings.sizes();
    return models.map((model) => ({
      ...infoOf(model, 0),
      patchBytes: patches.get(model.id) ?? 0,
      trainingBytes: trainings.get(model.id) ?? 0,
    }));
  }

  async unfinished(): Promise<UnfinishedDownload[]> {
    return (await (await this.#open()).unfinished()).map(({ load: _load, ...rest }) => rest);
  }

  async forgetUnfinished(source: string): Promise<void> {
    const store = await this.#open();
    const found = (await store.unfinished()).filter((each) => each.source === source);
    for (const { load } of found) await store.discardUnfinished(load);
    if (found.length > 0) return;
    const message = `No unfinished download has the source '${source.slice(0, 100)}'.`;
    throw new LabError('not-found', message, 'See lab.unfinished().');
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

/** The id under which a source is stored. Throws 'not-found'. */
async function storedIdOf(store: ShardStore, source: Source, { hub = hubEndpoint }: SourceChoice): Promise<string> {
  const found = typeof source === 'string' ? storedAs(await store.list(), sourceId(source, hub)) : null;
  if (found) return found.id;
  throw new LabError(
    'not-found',
    `No stored model or download comes from ${shown(source)}.`,
    'See lab.stored(), or load it without `stored`.',
  );
}

/** Id of the stored model that serves for a name on the Hub where the Hub cannot be asked which commit its branch means today. */
async function currentOfHub(
  store: ShardStore,
  source: string,
  { hub = hubEndpoint, revision }: SourceChoice,
): Promise<string | null> {
  const wanted = parseHubSource(source.trim(), hub);
  if (!wanted || (revision ?? wanted.revision) !== 'main') return null;
  const id = `hf:${wanted.repo}`;
  return (await store.find(id)) ? id : null;
}

async function openModel(loaded: LoadedModel, store: ShardStore, signal: AbortSignal | undefined): Promise<OpenModel> {
  try {
    return await openedModel(loaded, store, signal);
  } catch (thrown) {
    await loaded.release();
    throw thrown;
  }
}

async function openedModel(
  { stored, checkpoint, downloadedBytes, notes: opened, outdated, release }: LoadedModel,
  { patches, trainings }: ShardStore,
  signal: AbortSignal | undefined,
): Promise<OpenModel> {
  const texts = new Map<string, string | null>();
  for (const name of [tokenizerFile, tokenizerConfigFile, addedTokensFile, specialTokensMapFile]) {
    texts.set(name, await checkpoint.text(name));
  }
  const tokenizer = await tokenizerOf((name) => texts.get(name) ?? null, checkpoint.config.shape.vocab, signal);
  const { shape } = checkpoint.config;
  const notes: string[] = [...(tokenizer?.notes ?? [])];
  const ends = endsOfText(await checkpoint.text(generationConfigFile), checkpoint.config, notes);
  const requireTokenizer = (): ThreadedTokenizer => {
    if (tokenizer) return tokenizer;
    throw new LabError(
      'bad-tokenizer',
      `The model '${stored.id}' has no tokenizer.json.`,
      'Pass token ids, or load the model with its tokenizer.json.',
    );
  };
  return {
    info: {
      ...infoOf(stored, downloadedBytes, { notes: [], outdated }),
      shape,
      parameters: modelParameters(shape),
      notes: [...new Set([...opened, ...(stored.summary.notes ?? []), ...notes])],
      ...(opened.length > 0 ? { openingNotes: [...opened] } : {}),
    },
    weights: checkpoint,
    checkpoint,
    patches,
    trainings,
    tokenizer,
    endsOfText: ends,
    requireTokenizer,
    promptIds: async (text, cancel) => promptIds(requireTokenizer(), text, checkpoint.config.bosTokenId, cancel),
    async close() {
      tokenizer?.close();
      await release();
    },
  };
}
