/**
 * @file Which kernels an adapter is fastest in: measured once, kept in IndexedDB, used by every engine on it.
 *
 * On a hardware adapter the page measures in the background as soon as a model is on the GPU, class by class between
 * other tasks, and stands back while something is measured that must not be disturbed. A software adapter keeps the
 * static choice unless the user asks: its times do not apply to other machines, and measuring would take seconds.
 */
import { del, delMany, get, keys, update } from 'idb-keyval';
import type { DeviceLabel } from '../../benchmark/deviceLabel';
import type { Engine } from '../../engine/engine';
import type { GpuInfo } from '../../engine/gpu/device';
import { type AnyTileName, backTiles } from '../../engine/kernels/backTile';
import { isBackOperation } from '../../engine/kernels/kernelChoice';
import { classKey, operations, parseTuned, type TunedClass } from '../../engine/kernels/matmulClasses';
import { tiles, weightCode } from '../../engine/kernels/tile';
import { kernelOf } from '../../engine/tuning/matmulTrial';
import type { TuneOptions } from '../../engine/tuning/tuner';
import { LabError, unlessAborted } from '../../errors';
import { databaseStore } from '../../io/database';
import { hashText } from '../../io/hash';
import type { EngineSettings } from '../contract/settings';
import type { TuningInfo } from '../contract/types';

const tunings = databaseStore('secateur-tunings', 'tunings');

/** Measurements of other adapters, precisions and versions of the shaders that stay: they can be made again. */
const mostKept = 15;

/** Of an engine, what concerns its kernels. */
export type TunableEngine = Pick<Engine, 'tune' | 'tuned' | 'tuning'>;

/** The engine that is open, and what its measurements are kept under. */
interface Open {
  readonly engine: TunableEngine;
  readonly software: boolean;
  readonly key: string;
  /** Nothing more can be measured in the background. */
  exhausted: boolean;
}

/** Time limit of a background measurement, in ms; other tasks run in between. */
const unaskedBudgetMs = 30_000;

export class KernelTuning {
  readonly #settings: EngineSettings;
  #open: Open | null = null;
  /** What was wrong with what was kept. */
  #note: string | null = null;
  /** The measurement in the background, and how to end it. */
  #background: { readonly over: Promise<void>; readonly abort: AbortController } | null = null;
  /** Works under way that must not be disturbed. */
  #undisturbed = 0;

  constructor(settings: EngineSettings) {
    this.#settings = settings;
  }

  /** What was measured on an adapter before; what is malformed is dropped, and a note says so. */
  async load(info: Pick<GpuInfo, 'identity'>): Promise<TunedClass[]> {
    const key = tuningKey(info, this.#settings);
    this.#note = null;
    try {
      const kept: unknown = await get(key, tunings);
      if (kept === undefined) return [];
      const { classes, note } = parseTuned(kept);
      this.#note = note;
      if (note === null) return classes;
      console.warn(note);
      await del(key, tunings);
    } catch (thrown) {
      console.warn('The stored kernel measurements could not be read; the kernels will be measured again.', thrown);
    }
    return [];
  }

  /** A new engine follows what was recalled. */
  open(engine: TunableEngine, info: Pick<GpuInfo, 'identity' | 'software'>): void {
    this.#open = { engine, software: info.software, key: tuningKey(info, this.#settings), exhausted: false };
    this.#start();
  }

  /** The engine is going. */
  close(): void {
    this.#open = null;
    this.#background?.abort.abort();
  }

  /**
   * Runs `work` without a measurement in the background; one that was under way goes on afterwards. While it waits for
   * that one to end, it rejects with 'aborted' as soon as `signal` fires.
   */
  async undisturbed<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#undisturbed += 1;
    this.#background?.abort.abort();
    try {
      if (this.#background)
        await unlessAborted(this.#background.over, signal, 'Waiting for the kernels to be measured');
      return await work();
    } finally {
      this.#undisturbed -= 1;
      this.#start();
    }
  }

  /** Measures what was not measured yet, or all again; what a cancelled one found stays. */
  async tune(engine: TunableEngine, options: TuneOptions): Promise<void> {
    const open = this.#open;
    await this.undisturbed(async () => {
      try {
        await engine.tune(options);
      } finally {
        if (open?.engine === engine) await keep(open);
      }
    }, options.signal);
  }

  /** What is used, as the open model's products see it. */
  info(engine: TunableEngine, { adapter, software }: DeviceLabel): TuningInfo {
    return { ...engine.tuning(), adapter, software, running: this.#background !== null, note: this.#note };
  }

  /** On hardware, measures the remaining classes in the background, unless something forbids it. */
  #start(): void {
    const open = this.#open;
    if (open === null || open.exhausted || this.#background !== null || this.#undisturbed > 0) return;
    if (this.#settings.tuneUnasked !== true || open.software || open.engine.tuning().left === 0) return;
    const abort = new AbortController();
    const over = open.engine
      .tune({ signal: abort.signal, budgetMs: unaskedBudgetMs })
      .then(
        () => {
          open.exhausted = true;
        },
        (thrown: unknown) => {
          // Another task ended it: it goes on when that is over. Another model or a lost device: the next engine's does.
          if (thrown instanceof LabError && thrown.code === 'aborted') return;
          open.exhausted = true;
          if (thrown instanceof LabError && ['not-loaded', 'device-lost'].includes(thrown.code)) return;
          console.warn('The kernels could not be measured; the engine uses the default kernels.', thrown);
        },
      )
      .then(() => keep(open))
      .finally(() => {
        this.#background = null;
      });
    this.#background = { over, abort };
  }
}

/** Keeps what the engine follows. A full or missing storage costs only the memory of it. */
async function keep({ engine, key }: Open): Promise<void> {
  try {
    const own = new Set(engine.tuned.map(classKey));
    // Another tab may have measured other classes on the same adapter: they stay.
    const withOthers = (kept: unknown): TunedClass[] => [
      ...(kept === undefined ? [] : parseTuned(kept).classes.filter((each) => !own.has(classKey(each)))),
      ...engine.tuned,
    ];
    await update(key, withOthers, tunings);
    const others = (await keys(tunings)).filter((each) => each !== key);
    await delMany(others.slice(0, Math.max(0, others.length - mostKept)), tunings);
  } catch (thrown) {
    console.warn('The kernel measurements could not be stored.', thrown);
  }
}

/** Measurements hold for one adapter, one version of the shaders, and one precision. */
export function tuningKey({ identity }: Pick<GpuInfo, 'identity'>, { halfPrecision }: EngineSettings): string {
  return JSON.stringify([identity, shaderVersion(), halfPrecision === true ? 'half' : 'full']);
}

let version: string | null = null;

/** Changes when the WGSL of any kernel changes that is measured. */
function shaderVersion(): string {
  if (version !== null) return version;
  const codes = operations.flatMap((operation) => {
    const names = Object.keys(isBackOperation(operation) ? backTiles : tiles) as AnyTileName[];
    return names.map((name) => kernelOf(operation, 'F32', name).code);
  });
  version = hashText([...Object.values(weightCode), ...codes].join('\n'));
  return version;
}
