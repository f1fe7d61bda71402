/** @file The `lab` object over a link to the worker, and the worker's news for the page's commands. */
import type { ModelInfo } from '../../report/facts';
import type { TaskOptions } from '../../task';
import { saveBudget, savedBudget } from '../contract/memoryBudget';
import type { InstructionDataset } from '../contract/retraining';
import { type EngineSettings, engineSettings } from '../contract/settings';
import type { Lab, LoadOptions, Source, StorageInfo, TextSource } from '../contract/types';
import { pageAddress } from './address';
import type { LabWorker } from './laboratory';
import { Listeners } from './listeners';
import { WorkerLink } from './workerLink';

/** Only data crosses to the worker: signal and progress travel beside the arguments. */
function plain<T extends TaskOptions>(options: T | undefined): Omit<T, keyof TaskOptions> {
  const { signal: _signal, onProgress: _onProgress, ...rest } = options ?? ({} as T);
  return rest;
}

/** Asks the browser once not to clear what is stored by itself; a refusal changes nothing else. */
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

export interface Laboratory {
  /** The surface of the laboratory; see `contract/types.ts`. */
  readonly lab: Lab;
  readonly worker: LabWorker;
}

/** The engine's settings in the page's address, and the user's memory limit. */
function settings(): EngineSettings {
  const kept = savedBudget();
  return { ...(kept === null ? {} : { memoryBytes: kept }), ...engineSettings(location.search) };
}

/** A laboratory with a worker of its own, which starts with the first call. */
export function createLab(): Laboratory {
  const makeWorker = (): Worker =>
    new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module', name: 'secateur' });
  const link = new WorkerLink(makeWorker, settings);
  const call: WorkerLink['call'] = (...args) => link.call(...args);
  const scriptModels = new Listeners<ModelInfo>();
  let scriptLoads = 0;

  function loadForPage(source: Source, options?: LoadOptions): Promise<ModelInfo> {
    // The demo and the user's own files can be had again for nothing. Some browsers ask the user.
    if (typeof source === 'string' && source !== 'demo' && !source.startsWith('files:')) void askToPersist();
    return call('load', options, source, plain(options));
  }

  let opened: Promise<void> | null = null;
  /** A page that only shows a report never asks for it, and starts no worker. */
  function open(): Promise<void> {
    opened ??= call('open', undefined);
    opened.catch(() => undefined); // whatever awaits `ready` gets the failure
    return opened;
  }

  const lab: Lab = {
    restart: () => link.restart(),
    get ready() {
      return open();
    },
    device: () => call('device', undefined),
    async load(source, options) {
      scriptLoads += 1;
      const info = await loadForPage(source, options);
      scriptModels.tell(info);
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
    // What is read tells which of the two comes back.
    readInstructions: ((source: TextSource | InstructionDataset, options?: TaskOptions & { hub?: string }) =>
      call('readInstructions', options, source, plain(options))) as Lab['readInstructions'],
    fetchText: (name, options) => call('fetchText', options, name, plain(options)),
    forgetText: (name) => call('forgetText', undefined, name),
    calibrate: (request) => call('calibrate', request, plain(request)),
    importance: (criterion, options) => call('importance', options, criterion, plain(options)),
    survey: (options) => call('survey', options, plain(options)),
    widthImportance: (method, options) => call('widthImportance', options, method, plain(options)),
    plan: (request, options) => call('plan', options, request),
    variant: (plan, options) => call('variant', options, plan, plain(options)),
    iterate: (request) => call('iterate', request, plain(request)),
    variants: () => call('variants', undefined),
    discard: (id) => call('discard', undefined, id),
    perplexity: (id, request) => call('perplexity', request, id, plain(request)),
    latency: (id, request) => call('latency', request, id, plain(request)),
    generate: (id, prompt, options) => call('generate', options, id, prompt, plain(options)),
    evaluate: (id, request) => call('evaluate', request, id, plain(request)),
    retrain: (id, request) => call('retrain', request, id, plain(request)),
    trainingMemory: (id, request) => call('trainingMemory', request, id, plain(request)),
    trainings: () => call('trainings', undefined),
    pauseTraining: (id) => call('pauseTraining', undefined, id),
    resumeTraining: (id, options) => call('resumeTraining', options, id),
    stopTraining: (id, { keep = false } = {}) => call('stopTraining', undefined, id, { keep }),
    compare: (request) => call('compare', request, plain(request)),
    best: (request) => call('best', request, plain(request)),
    tune: (request) => call('tune', request, plain(request)),
    tuning: () => call('tuning', undefined),
    profile: (request) => call('profile', request, plain(request)),
    comparison: () => call('comparison', undefined),
    restoreComparison: (given) => call('restoreComparison', undefined, given),
    report: () => call('report', undefined),
    async shareUrl({ title, notes, page = pageAddress(location), ...options } = {}) {
      const record = await call('report', options);
      const { shareable } = await import('../../report/link/share');
      const { url } = await shareable(record, { ...(title ? { title } : {}), ...(notes ? { notes } : {}), page });
      return url;
    },
    async openReport(report) {
      if (typeof report !== 'string') return (await import('../../report/link/file')).readReportFile(report);
      return (await import('../../report/link/share')).readReport(report);
    },
    reproduce: async (report, options) => (await import('./reproduce/reproduce')).reproduce(lab, report, options),
    export: (id, format, options) => call('export', options, id, format, plain(options)),
    exportTo: (id, format, folder, options) => call('exportTo', options, id, format, folder, plain(options)),
  };
  return {
    lab,
    worker: {
      loadForPage,
      scriptIsInCharge: () => scriptLoads > 0,
      onScriptLoad: scriptModels.add,
      onVariantsChange: link.variantChanges.add,
      onRestart: link.restarts.add,
      onSuperseded: link.superseded.add,
      onSilence: (listener) => link.onSilence(listener),
      hearingOf: (signal) => link.hearingOf(signal),
      callsBesides: (signal) => link.callsBesides(signal),
    },
  };
}
