/** @file The `lab` object on the page's side: starts the worker, carries calls, progress, cancellation and errors. */
import { proxy, type Remote, wrap } from 'comlink';
import { abortedError, LabError, throwIfAborted, unlessAborted } from '../../errors';
import type { ModelInfo } from '../../report/facts';
import type { ModelRecord } from '../../report/record';
import type { TaskOptions } from '../../task';
import { checkArguments, checkTask } from '../contract/arguments';
import { type Failure, fromFailure } from '../contract/failure';
import { saveBudget, savedBudget } from '../contract/memoryBudget';
import { isSupersededMessage, isTurnMessage, type Outcome, type WorkerApi } from '../contract/protocol';
import { type EngineSettings, engineSettings } from '../contract/settings';
import type { Lab, LoadOptions, Source, StorageInfo } from '../contract/types';
import { type Call, CallsUnderWay, type Hearing } from '../contract/underWay';
import type { WorkerSession } from '../contract/workerSession';
import { watchHeartbeat } from './heartbeat';
import type { LabWorker } from './laboratory';

/** Arguments of a session method after its first one, the task. */
type Rest<M> = M extends (task: TaskOptions, ...rest: infer R) => unknown ? R : never;
type Answer<M> = M extends (...args: never[]) => Promise<infer T> ? T : never;

interface Connection {
  worker: Worker;
  api: Remote<WorkerApi>;
  /** Rejects the calls under way when the worker dies. */
  died: Promise<never>;
  /** Rejects them. */
  end: (failure: LabError) => void;
  /** Settles when what an earlier worker had open is open again; null for the first worker. */
  restored: Promise<unknown> | null;
}

let connection: Connection | null = null;
let nextJob = 1;
/** What the session held when its worker last changed it: enough to make it again in a new one. */
let snapshot: ModelRecord | null = null;

const underWay = new CallsUnderWay();
/** What ended last is in the snapshot when this has settled. */
let lastSnapshot: Promise<unknown> = Promise.resolve();
/** ONNX Runtime never answered in this worker: it is replaced as soon as nothing else runs in it. */
let spoilt: LabError | null = null;
const restartListeners = new Set<(reason: string) => void>();

const supersededListeners = new Set<(failure: Failure) => void>();

/** Hears that a newer version of the page, in another tab, has taken the stored models over. */
function onSuperseded(listener: (failure: Failure) => void): void {
  supersededListeners.add(listener);
}

/** Hears that the laboratory was started again by itself, and why. */
function onRestart(listener: (reason: string) => void): void {
  restartListeners.add(listener);
}

/** Hears that the worker's thread has not heard for long although somebody waits for it, and that it does again. */
function onSilence(listener: (silent: boolean) => void): void {
  watchHeartbeat({
    ping: () => connection && Promise.race([connection.api.ping(), connection.died]),
    waiting: () => underWay.size > 0,
    onSilence: listener,
  });
}

/** What became of the calls of a cancelled task. */
function hearingOf(signal: AbortSignal): Promise<Hearing> {
  if (connection === null) return Promise.resolve('over');
  const { api, died } = connection;
  return underWay.hearing(signal, () => Promise.race([api.ping(), died.catch(() => undefined)]));
}

/** The calls that a new worker would lose, but for a task's own. */
function callsBesides(signal: AbortSignal | undefined): Call[] {
  return underWay.besides(signal);
}

/** What the address says of the engine, and what a person said of its memory. */
function settings(): EngineSettings {
  const kept = savedBudget();
  return { ...(kept === null ? {} : { memoryBytes: kept }), ...engineSettings(location.search) };
}

function connect(): Connection {
  if (connection) return connection;
  const worker = new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module', name: 'secateur' });
  let reject: (failure: LabError) => void = () => undefined;
  const died = new Promise<never>((_, rejectDied) => {
    reject = rejectDied;
  });
  died.catch(() => undefined); // every call races it; without calls nobody needs to hear
  const end = (failure: LabError) => {
    worker.terminate();
    if (connection?.worker === worker) {
      connection = null;
      underWay.clear();
      spoilt = null;
    }
    reject(failure);
  };
  worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (isTurnMessage(data) && connection?.worker === worker) underWay.turn = data.turn;
    if (isSupersededMessage(data)) for (const listener of supersededListeners) listener(data.superseded);
  });
  worker.addEventListener('error', (event) => {
    const message = `The laboratory's worker stopped: ${event.message || 'it could not be started'}.`;
    const remedy = 'Start it again: the model is opened anew from what is stored. If it returns, reload the page.';
    end(new LabError('worker', message, remedy));
  });
  const api = wrap<WorkerApi>(worker);
  // Before any other call: messages arrive in their order.
  void api.call(nextJob++, 'configure', [settings()], null);
  // A model that cannot be opened again is not there: the next call says so itself.
  const restored = snapshot && Promise.race([api.call(nextJob++, 'restore', [snapshot], null), died]).catch(() => null);
  connection = { worker, api, died, end, restored };
  return connection;
}

/** Ends the worker with all that runs in it; a new one opens the same session from IndexedDB. */
async function restart(): Promise<void> {
  connection?.end(
    new LabError(
      'worker',
      'The laboratory was started again, because a task did not stop; what ran beside it was lost.',
      'Start it again. The model, its variants and all finished numbers are still there.',
    ),
  );
  const { restored, died } = connect();
  await Promise.race([restored, died]);
}

/**
 * A page that the browser freezes for the way back must not keep other tabs waiting for a load that does not go on. What it
 * had open is opened again when somebody comes back to it.
 */
function letGoWhenFrozen({ persisted }: PageTransitionEvent): void {
  const loading = underWay.besides(undefined).some(({ method }) => method === 'load' || method === 'fetchText');
  if (!persisted || !loading) return;
  const message = 'The page was left while a model was being loaded.';
  connection?.end(new LabError('worker', message, 'Load it again: what has come of it is taken up where that can be.'));
}
globalThis.addEventListener?.('pagehide', letGoWhenFrozen);

/** Replaces a worker whose ONNX Runtime is lost, once nothing runs in it that could be lost too. */
function restartWhenIdle(): void {
  if (spoilt === null || underWay.size > 0) return;
  const { message } = spoilt;
  spoilt = null;
  lastSnapshot.then(restart).then(
    () => {
      for (const listener of restartListeners) listener(message);
    },
    (thrown: unknown) => console.warn('The laboratory could not be started again.', thrown),
  );
}

/**
 * Calls that a cancelled caller may leave at once when ONNX Runtime is at another one: what they do in the worker until it
 * hears changes nothing that somebody would miss.
 */
const leavable: ReadonlySet<keyof WorkerSession> = new Set<keyof WorkerSession>([
  'perplexity',
  'latency',
  'generate',
  'importance',
  'survey',
  'widthImportance',
  'profile',
  'memory',
  'export',
]);

/** Calls that change what a new worker would have to know. */
const changing: ReadonlySet<keyof WorkerSession> = new Set<keyof WorkerSession>([
  'load',
  'calibrate',
  'importance',
  'survey',
  'widthImportance',
  'plan',
  'variant',
  'discard',
  'perplexity',
  'latency',
  'restoreComparison',
]);

async function takeSnapshot({ api, died, worker }: Connection): Promise<void> {
  const outcome = await Promise.race([api.call(nextJob++, 'snapshot', [], null), died]);
  if (outcome.ok && connection?.worker === worker) snapshot = outcome.value as ModelRecord | null;
}

/** Only data crosses to the worker: signal and progress travel beside the arguments. */
function plain<T extends TaskOptions>(options: T | undefined): Omit<T, keyof TaskOptions> {
  const { signal: _signal, onProgress: _onProgress, ...rest } = options ?? ({} as T);
  return rest;
}

async function call<K extends keyof WorkerSession>(
  method: K,
  task: TaskOptions | undefined,
  ...args: Rest<WorkerSession[K]>
): Promise<Answer<WorkerSession[K]>> {
  // Before anything crosses: what is no plain data could not.
  checkTask(task, method);
  checkArguments(method, args);
  const { signal, onProgress } = task ?? {};
  if (signal?.aborted) throw abortedError();
  const current = connect();
  const { api, died, restored, worker } = current;
  if (restored) await unlessAborted(Promise.race([restored, died]), signal);
  throwIfAborted(signal);
  const job = nextJob++;
  let leave: (failure: LabError) => void = () => undefined;
  const left = new Promise<never>((_, reject) => {
    leave = reject;
  });
  const cancel = () => {
    void api.cancel(job);
    if (leavable.has(method) && underWay.onlyWaits(job)) leave(abortedError());
  };
  signal?.addEventListener('abort', cancel, { once: true });
  underWay.begin({ job, method, signal });
  try {
    const answer = api.call(job, method, args as unknown[], onProgress ? proxy(onProgress) : null);
    const outcome = (await Promise.race([answer.catch(notSent), died, left])) as Outcome<Answer<WorkerSession[K]>>;
    if (!outcome.ok) {
      const failure = fromFailure(outcome.failure);
      if (failure.code === 'no-answer' && connection?.worker === worker) spoilt = failure;
      throw failure;
    }
    if (changing.has(method)) lastSnapshot = takeSnapshot(current).catch(() => undefined); // the worker died: the last one serves
    if (changesVariants(method, args)) for (const listener of variantListeners) listener();
    return outcome.value;
  } finally {
    signal?.removeEventListener('abort', cancel);
    underWay.end(job);
    restartWhenIdle();
  }
}

/** A message that could not be sent: some field that nobody looks at holds a function or the like. */
function notSent(thrown: unknown): never {
  if (!(thrown instanceof DOMException && thrown.name === 'DataCloneError')) throw thrown;
  const message = `The arguments hold something that is no plain data: ${thrown.message}`;
  throw new LabError('bad-argument', message, 'Give numbers, strings, lists, plain objects and files only.', {
    cause: thrown,
  });
}

async function notYet(method: string): Promise<never> {
  throw new LabError(
    'not-available',
    `lab.${method} is not in this version.`,
    'See the README for what is there and what comes next.',
  );
}

const variantListeners = new Set<() => void>();

/** Hears that a call, the page's or a script's, has changed the variants or their numbers. */
function onVariantsChange(listener: () => void): void {
  variantListeners.add(listener);
}

/** A plan that is measured without being kept changes no variant. */
function changesVariants(method: keyof WorkerSession, [target]: readonly unknown[]): boolean {
  if (method === 'perplexity') return typeof target === 'string';
  return method === 'variant' || method === 'discard' || method === 'latency' || method === 'restoreComparison';
}

const scriptListeners = new Set<(model: ModelInfo) => void>();
let scriptLoads = 0;

/** Hears of models that a script opens with `lab.load`: the page then shows them. */
function onScriptLoad(listener: (model: ModelInfo) => void): void {
  scriptListeners.add(listener);
}

/** A script has asked for a model: the page does not load one on its own any more. */
function scriptIsInCharge(): boolean {
  return scriptLoads > 0;
}

/** The page's own way to open a model. */
function loadForPage(source: Source, options?: LoadOptions): Promise<ModelInfo> {
  // The demo and a person's own files can be had again for nothing; some browsers ask the person.
  if (typeof source === 'string' && source !== 'demo' && !source.startsWith('files:')) void askToPersist();
  return call('load', options, source, plain(options));
}

/** Asks the browser once not to clear what is stored by itself; a refusal changes nothing but that. */
async function askToPersist(): Promise<void> {
  const { storage } = navigator;
  try {
    if (!(await storage?.persisted?.())) await storage?.persist?.();
  } catch (thrown) {
    console.warn('The browser would not say whether it keeps what is stored.', thrown);
  }
}

async function storageInfo(): Promise<StorageInfo> {
  // Undefined on pages that are not from https or localhost.
  const storage: StorageManager | undefined = navigator.storage;
  const { usage = null, quota = null } = (await storage?.estimate?.().catch(() => null)) ?? {};
  return { usage, quota, persisted: (await storage?.persisted?.().catch(() => null)) ?? null };
}

/** The laboratory's one surface; see `types.ts` for the contract. */
export const lab: Lab = {
  restart,
  ready: Promise.resolve()
    .then(() => call('open', undefined))
    .then(() => undefined),
  device: () => call('device', undefined),
  async load(source, options) {
    scriptLoads += 1;
    const info = await loadForPage(source, options);
    for (const listener of scriptListeners) listener(info);
    return info;
  },
  stored: () => call('stored', undefined),
  forget: (id) => call('forget', undefined, id),
  preview: (source, options) => call('preview', options, source, plain(options)),
  unfinished: () => call('unfinished', undefined),
  forgetUnfinished: (source) => call('forgetUnfinished', undefined, source),
  storage: storageInfo,
  memory: (options) => call('memory', options),
  async limitMemory(bytes, options) {
    const info = await call('limitMemory', options, bytes);
    saveBudget(bytes);
    return info;
  },
  async keepStored() {
    await askToPersist();
    return storageInfo();
  },
  tokenize: (text, options) => call('tokenize', options, text, plain(options)),
  detokenize: (ids, options) => call('detokenize', options, ids),
  texts: () => call('texts', undefined),
  addText: (source, options) => call('addText', options, source, plain(options)),
  fetchText: (name, options) => call('fetchText', options, name, plain(options)),
  forgetText: (name) => call('forgetText', undefined, name),
  calibrate: (request) => call('calibrate', request, plain(request)),
  importance: (criterion, options) => call('importance', options, criterion, plain(options)),
  survey: (options) => call('survey', options, plain(options)),
  widthImportance: (method, options) => call('widthImportance', options, method, plain(options)),
  plan: (request, options) => call('plan', options, request),
  variant: (plan, options) => call('variant', options, plan, plain(options)),
  variants: () => call('variants', undefined),
  discard: (id) => call('discard', undefined, id),
  perplexity: (id, request) => call('perplexity', request, id, plain(request)),
  latency: (id, request) => call('latency', request, id, plain(request)),
  generate: (id, prompt, options) => call('generate', options, id, prompt, plain(options)),
  evaluate: () => notYet('evaluate'),
  retrain: () => notYet('retrain'),
  tune: (request) => call('tune', request, plain(request)),
  tuning: () => call('tuning', undefined),
  profile: (request) => call('profile', request, plain(request)),
  comparison: () => call('comparison', undefined),
  restoreComparison: (given) => call('restoreComparison', undefined, given),
  report: () => call('report', undefined),
  shareUrl: () => notYet('shareUrl'),
  openReport: () => notYet('openReport'),
  export: (id, format, options) => call('export', options, id, format, plain(options)),
};
lab.ready.catch(() => undefined); // whoever awaits `ready` hears of it

/** The rest of it, for the page's commands. */
export const labWorker: LabWorker = {
  loadForPage,
  scriptIsInCharge,
  onScriptLoad,
  onVariantsChange,
  onRestart,
  onSuperseded,
  onSilence,
  hearingOf,
  callsBesides,
};
