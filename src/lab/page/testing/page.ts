/** @file The page's commands over a laboratory, a worker and a browser that a test scripts. The store is a real one. */
import { abortedError, LabError } from '../../../errors';
import { emptyPlan, type PruningPlan } from '../../../pruning/plan';
import type { ModelInfo } from '../../../report/facts';
import type { Failure } from '../../contract/failure';
import type { Lab } from '../../contract/types';
import type { Hearing } from '../../contract/underWay';
import type { Browser } from '../browser';
import { type Commands, createCommands } from '../commands/createCommands';
import { draftOf } from '../draft';
import type { CallName } from '../laboratory';
import { Openings } from '../opening';
import { type Saved, savedOf } from '../saved';
import { createLabStore, initialState, type LabState, type LabStore } from '../store';

const layers = Array.from({ length: 4 }, (_, source) => ({ source, heads: 2, kvHeads: 1, headDim: 16, ffn: 48 }));
const shape = {
  family: 'llama',
  vocab: 64,
  hidden: 32,
  layers,
  normEps: 1e-5,
  ropeTheta: 1e4,
  maxPositions: 64,
  tiedHead: true,
};

/** A model of four blocks. */
export function testModel(id = 'hf:o/n', more: Partial<ModelInfo> = {}): ModelInfo {
  const source = id === 'demo' ? 'demo' : `${id.replace('hf:', '')}@1`;
  return {
    id,
    source,
    revision: '1',
    shape,
    parameters: 1000,
    tokenizer: true,
    notes: [],
    ...more,
  } as unknown as ModelInfo;
}

export const testDevice = { adapter: 'x', software: false, features: [] } as unknown as NonNullable<LabState['device']>;

/** A plan of a model that removes whole blocks. */
export function without(model: ModelInfo, ...removeBlocks: number[]): PruningPlan {
  return { ...emptyPlan(model.id), removeBlocks };
}

export const workerGone = (): LabError => new LabError('worker', 'The worker is gone.', 'Start it again.');

type Method = Exclude<keyof Lab, 'ready'> | 'loadForPage';
// biome-ignore lint/suspicious/noExplicitAny: a test answers each method as it likes
type Answer = (...args: any[]) => unknown;

/** What a laboratory answers that works and has nothing yet. */
const defaults: Partial<Record<Method, Answer>> = {
  device: () => testDevice,
  loadForPage: (source: unknown) => testModel(source === 'demo' ? 'demo' : undefined),
  stored: () => [],
  unfinished: () => [],
  storage: () => ({ usage: null, quota: null, persisted: null }),
  keepStored: () => ({ usage: null, quota: null, persisted: true }),
  texts: () => [],
  calibrate: () => ({ hash: 'h', seed: 1 }),
  importance: (criterion: string) => ({ criterion, scores: [4, 3, 2, 1], window: 1 }),
  survey: () => ({}),
  perplexity: () => ({ perplexity: 2, text: { hash: 't' } }),
  variant: () => ({ id: 'v1', name: 'v1' }),
  variants: () => [],
  comparison: () => [],
  restoreComparison: () => [],
  latency: () => [],
  generate: () => ({ text: 'words', device: { adapter: 'x', software: false, runtime: 'r' } }),
  export: () => [],
};

export interface TestPage {
  readonly store: LabStore;
  readonly commands: Commands;
  /** What the laboratory answers from now on, by method. */
  readonly does: Partial<Record<Method, Answer>>;
  /** Calls that the laboratory heard, in their order. */
  readonly calls: { readonly method: Method; readonly args: readonly unknown[] }[];
  /** How many calls the worker still answers before it dies. */
  answers: number;
  /** What the page knows of the worker's calls. */
  hearing: Hearing;
  beside: readonly CallName[];
  scriptIsInCharge: boolean;
  /** What the worker would tell the page. */
  readonly news: {
    scriptLoad(model: ModelInfo): void;
    variantsChange(): void;
    restart(reason: string): void;
    superseded(failure: Failure): void;
    silence(silent: boolean): void;
  };
  /** The browser's localStorage. */
  readonly storage: Map<string, string>;
  /** The saved sessions, by model. */
  readonly saved: Map<string, Saved>;
  readonly downloads: File[];
  /** The folder that the user chooses; null for none. */
  folder: FileSystemDirectoryHandle | null;
  /** The address that the browser shows; what the page itself wrote is in `history`, the latest at the end. */
  address: URL;
  readonly history: string[];
  /** Back or forward to an address that the page wrote. */
  goTo(search: string): void;
  /** Sources that the next visit would open. */
  lastSource: string | null;
  /** Calls of one method, each as its arguments. */
  callsOf(method: Method): readonly (readonly unknown[])[];
  /** Opens a model as if its numbers were measured already, and the page idle. */
  show(model: ModelInfo, more?: Partial<LabState>): void;
}

export function testPage(address = 'http://localhost/'): TestPage {
  const store = createLabStore();
  const storage = new Map<string, string>();
  const saved = new Map<string, Saved>();
  const listeners: Partial<TestPage['news']> & { address?: () => void } = {};
  const never = (): never => {
    throw new Error('the page does not listen');
  };
  const page = {
    store,
    does: {},
    calls: [],
    answers: Number.POSITIVE_INFINITY,
    hearing: 'over',
    beside: [],
    scriptIsInCharge: false,
    news: {
      scriptLoad: (model) => (listeners.scriptLoad ?? never)(model),
      variantsChange: () => (listeners.variantsChange ?? never)(),
      restart: (reason) => (listeners.restart ?? never)(reason),
      superseded: (failure) => (listeners.superseded ?? never)(failure),
      silence: (silent) => (listeners.silence ?? never)(silent),
    },
    storage,
    saved,
    downloads: [],
    folder: null,
    address: new URL(address),
    history: [],
    goTo: (search) => {
      page.address.search = search;
      listeners.address?.();
    },
    lastSource: null,
    callsOf: (method) => page.calls.filter((call) => call.method === method).map(({ args }) => args),
    show: (model, more = {}) => {
      const plan = emptyPlan(model.id);
      const texts = { prompt: 'Once', base: null, variant: null };
      const open = {
        ready: true,
        device: testDevice,
        model,
        plan,
        draft: draftOf(model, { plan, ownWeights: null }, []),
        texts,
      };
      store.setState({ ...initialState, ...open, ...more }, true);
    },
  } as Omit<TestPage, 'commands'> as TestPage;

  /** A call settles with its answer, or with 'aborted' as soon as its task is cancelled. */
  const call = (method: Method, args: readonly unknown[]): Promise<unknown> => {
    page.answers -= 1;
    if (page.answers < 0) return Promise.reject(workerGone());
    page.calls.push({ method, args });
    const answer = (async () => (page.does[method] ?? defaults[method] ?? (() => null))(...args))();
    const { signal } = (args.at(-1) ?? {}) as { signal?: AbortSignal };
    if (!(signal instanceof AbortSignal)) return answer;
    return Promise.race([
      answer,
      new Promise<never>((_, reject) => {
        const stop = (): void => reject(abortedError());
        if (signal.aborted) stop();
        else signal.addEventListener('abort', stop, { once: true });
      }),
    ]);
  };
  const lab = new Proxy({} as Lab, {
    get: (_, name) =>
      name === 'ready' ? Promise.resolve() : (...args: unknown[]) => call(String(name) as Method, args),
  });
  const browser: Browser = {
    address: () => page.address,
    isOwnAddress: () => page.history.at(-1) === page.address.search,
    writeAddress: (search, how) => {
      page.address.search = search;
      if (how === 'replace') page.history.pop();
      page.history.push(page.address.search);
    },
    onAddress: (listener) => {
      listeners.address = listener;
    },
    removeModelFromAddress: () => {
      page.address.search = '';
    },
    lastSource: () => page.lastSource,
    rememberSource: (source) => {
      page.lastSource = source;
    },
    openings: new Openings(storageOver(storage), null),
    lateWord: () => Promise.resolve(),
    sessions: {
      save: async (state) => void (state.model && saved.set(state.model.id, savedOf(state))),
      load: async ({ model }) => saved.get(model?.id ?? '') ?? null,
      drop: async (model) => void saved.delete(model),
    },
    fetchCatalogue: async () => [],
    download: (file) => void page.downloads.push(file),
    chooseFolder: async () => page.folder,
  };
  const listen =
    <K extends keyof TestPage['news']>(name: K) =>
    (listener: TestPage['news'][K]): void => {
      listeners[name] = listener;
    };
  const worker = {
    loadForPage: (...args: unknown[]) => call('loadForPage', args) as Promise<ModelInfo>,
    scriptIsInCharge: () => page.scriptIsInCharge,
    onScriptLoad: listen('scriptLoad'),
    onVariantsChange: listen('variantsChange'),
    onRestart: listen('restart'),
    onSuperseded: listen('superseded'),
    onSilence: listen('silence'),
    hearingOf: async () => page.hearing,
    callsBesides: () => page.beside,
  };
  return Object.assign(page, { commands: createCommands(lab, store, { worker, browser }) });
}

function storageOver(entries: Map<string, string>): Storage {
  return {
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
    key: (index) => [...entries.keys()][index] ?? null,
    clear: () => entries.clear(),
    get length() {
      return entries.size;
    },
  };
}
