/** @file The benchmark: latency, tokens per second and perplexity of the edited plan, beside those of the base. */
import type { PrecisionRequest } from '../../../benchmark/precision';
import type { Runtime } from '../../../report/results';
import { isBase, selectionOf } from '../selection';
import type { Context } from './context';
import { heldOut, isNonFinite } from './live';
import type { Task } from './tasks';
import { refreshVariants } from './variantList';

export interface BenchmarkCommands {
  /** Makes the edited plan a variant, if it is none yet, and measures it with ONNX Runtime. */
  benchmarkDraft(): Promise<void>;
  /** Chooses the precision of benchmarks from now on. */
  choosePrecision(precision: PrecisionRequest): void;
}

const named = (name: string, { signal, onProgress }: Task): Task => ({
  signal,
  onProgress: (progress) => onProgress({ ...progress, stage: `${name}: ${progress.stage}` }),
});

export function createBenchmarkCommands(context: Context): BenchmarkCommands {
  const { lab, store, tasks, saving } = context;
  const { getState, setState } = store;

  async function benchmarkDraft(): Promise<void> {
    const selection = selectionOf(getState());
    if (!getState().model || !selection) return;
    await tasks.run('benchmark', async (task) => {
      const id = isBase(selection) ? 'base' : (selection.ownWeights ?? (await lab.variant(selection.plan)).id);
      await refreshVariants(context);
      const name = getState().variants.find((each) => each.id === id)?.name ?? id;
      if (id === 'base') return benchmarkOne(id, name, task);
      const base = getState().comparison.find((row) => row.variant === 'base');
      const isKnown = runtimes().every((runtime) => base?.perplexity[runtime]);
      const isUsable = isKnown || (await isScored('base', 'original model', task));
      await benchmarkOne(id, name, task, isUsable ? 'base' : undefined);
    });
    await tasks.command('benchmark', () => refreshVariants(context));
    saving.soon();
  }

  /** The runtimes of a benchmark's perplexities: the engine where there is a GPU, and the runtime that is timed. */
  function runtimes(): Runtime[] {
    const { device, precision } = getState();
    const onGpu = device?.software === false || precision === 'f16';
    return [...(device ? (['wgsl'] as const) : []), onGpu ? 'ort-webgpu' : 'ort-wasm'];
  }

  /**
   * Latency and perplexities of one variant; the table fills as the numbers come. `against`: a variant that is timed
   * alternately with it. Each benchmark times both, since only runs side by side give a speed-up.
   */
  async function benchmarkOne(id: string, name: string, task: Task, against?: string): Promise<void> {
    const { precision } = getState();
    await lab.latency(id, { ...named(name, task), precision, ...(against ? { against } : {}) });
    await refreshVariants(context);
    await scoreBoth(id, name, task);
  }

  /** Perplexities of one variant by the engine and by the runtime that is timed. */
  async function scoreBoth(id: string, name: string, task: Task): Promise<void> {
    const how = { ...named(name, task), ...heldOut(context) };
    const { precision } = getState();
    for (const runtime of runtimes()) {
      await lab.perplexity(id, { ...how, runtime, precision });
      await refreshVariants(context);
    }
  }

  /** Measures the perplexities; false for a model with a non-finite value, which has none and no time either. */
  async function isScored(id: string, name: string, task: Task): Promise<boolean> {
    try {
      await scoreBoth(id, name, task);
      return true;
    } catch (thrown) {
      if (isNonFinite(thrown)) return false;
      throw thrown;
    }
  }

  return { benchmarkDraft, choosePrecision: (precision) => setState({ precision }) };
}
