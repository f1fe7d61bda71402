/** @file Facts of a model before its download, and whether it fits, with the sums. Pure. */
import { gpuBudget } from '../../lab/contract/deviceBudget';
import type { ModelPreview } from '../../lab/contract/types';
import type { MemoryPlan } from '../../model/memory';
import { gpuFit, wasmBytes } from '../../model/memory';
import type { DeviceInfo, ModelInfo } from '../../report/facts';
import { whatToForget } from '../../shards/download/diskBudget';
import { bytes, integer, quantity } from '../parts/format';
import { type Fact, shortSource } from './facts';

/** One limit that the model must fit into. */
export interface Room {
  label: string;
  /** Null if unknown. */
  fits: boolean | null;
  /** The needed and the available size. */
  arithmetic: string;
  /** What to do if it does not fit. */
  remedy?: string;
}

export interface PreviewFacts {
  facts: Fact[];
  budgets: Room[];
  /** True if the lab would refuse the download. */
  refused: boolean;
}

/** What the page knows about the device. */
export interface Machine {
  device: (Pick<DeviceInfo, 'limits' | 'memoryBytes'> & Partial<Pick<DeviceInfo, 'features'>>) | null;
  stored: readonly Pick<ModelInfo, 'source' | 'storedBytes' | 'lastUsed'>[];
  /** Free storage by the browser's estimate; null if the browser reports none. */
  freeBytes: number | null;
}

export function previewFacts(preview: ModelPreview, machine: Machine): PreviewFacts {
  const { memory, storedBytes, licence, gated } = preview;
  // Folder servers seldom report the sizes of the small files, so the weights alone are counted.
  const known = preview.bytes ?? preview.weightBytes;
  const left = known === null ? null : Math.max(0, known - storedBytes);
  const size = left === null ? 'unknown' : `${bytes(left)}${preview.bytes === null ? ' of weights' : ''}`;
  const facts: Fact[] = [
    { label: 'Architecture', value: preview.architecture.replace(/ForCausalLM$/, ''), title: preview.architecture },
    { label: 'Blocks', value: integer(preview.shape.layers.length) },
    { label: 'Parameters', value: quantity(preview.parameters), title: integer(preview.parameters) },
    {
      label: 'Download',
      value: preview.stored ? 'stored' : size,
      title: storedBytes > 0 ? `${bytes(storedBytes)} are already stored` : 'bytes over the network',
    },
    { label: 'Licence', value: licence ?? 'not stated' },
    ...(gated ? [{ label: 'Access', value: 'gated', title: 'you must accept its conditions on the Hub' }] : []),
  ];
  const storage = preview.stored ? null : storageBudget(left, machine);
  const budgets = [...(storage ? [storage] : []), ...(memory ? gpuBudgets(memory, machine) : [])];
  const refused = budgets.some(({ label, fits }) => fits === false && label !== benchmarkLabel) && !preview.stored;
  return { facts, budgets, refused };
}

const benchmarkLabel = 'Benchmark';

function storageBudget(left: number | null, { freeBytes, stored }: Machine): Room {
  const need = left === null ? 'size unknown' : `${bytes(left)} to store`;
  const have =
    freeBytes === null
      ? 'the browser does not report its free storage'
      : `${bytes(freeBytes)} free (browser’s estimate)`;
  const missing = left !== null && freeBytes !== null ? left - freeBytes : null;
  const budget: Room = {
    label: 'Storage',
    fits: missing === null ? null : missing <= 0,
    arithmetic: `${need}, ${have}`,
  };
  if (missing === null || missing <= 0) return budget;
  const chosen = whatToForget(
    missing,
    stored.map(({ source, storedBytes, lastUsed }) => ({ source, bytes: storedBytes, lastUsed })),
  );
  const names = chosen.map((model) => `${shortSource(model.source)} (${bytes(model.bytes)})`).join(' and ');
  const remedy =
    names === '' ? 'Free disk space; forgetting models would not be enough.' : `Forget ${names}, or free disk space.`;
  return { ...budget, arithmetic: `${budget.arithmetic}: ${bytes(missing)} missing`, remedy };
}

function gpuBudgets(memory: MemoryPlan, { device }: Machine): Room[] {
  const { vocabularyBytes, blocksBytes, blockBytes, activationBytes, tokens, binding } = memory;
  const tail = `${bytes(activationBytes)} for ${integer(tokens)} tokens`;
  const whole = `${bytes(vocabularyBytes + blocksBytes)} of weights + ${tail} = ${bytes(memory.wholeBytes)}`;
  const least = `${bytes(vocabularyBytes)} embedding and head + 2 × ${bytes(blockBytes)} + ${tail} = ${bytes(memory.streamedBytes)}`;
  const { bindingBytes: most, budgetBytes } = gpuBudget(device);
  const bound = budgetBytes === null ? '' : `; your limit is ${bytes(budgetBytes)}`;
  const fit = gpuFit(memory, { bindingBytes: most, budgetBytes });
  const overBudget = fit === 'over-budget';
  return [
    {
      label: 'GPU memory',
      // WebGPU does not report the size of GPU memory, so fit is known only against a limit set by the user.
      fits: budgetBytes === null || fit === 'over-binding' ? null : !overBudget,
      arithmetic: `all blocks at once: ${whole}; two blocks at a time: ${least}${bound}`,
      ...(overBudget ? { remedy: 'Raise the GPU memory limit under “Kernels”, or choose a smaller model.' } : {}),
    },
    {
      label: 'Largest GPU buffer',
      fits: most === null ? null : fit !== 'over-binding',
      arithmetic: `${binding.what} of a block: ${bytes(binding.bytes)}${most === null ? '' : `; this GPU allows ${bytes(most)} per binding`}`,
      ...(fit === 'over-binding' ? { remedy: 'Choose a smaller model, one with 16-bit weights, or another GPU.' } : {}),
    },
    benchmarkBudget(memory, device),
  ];
}

/** Weights pass through ONNX Runtime's heap: as f32, or in 16 bits if the GPU can convert them itself. */
function benchmarkBudget({ dtype, onnxBytes }: MemoryPlan, device: Machine['device']): Room {
  const narrow = dtype !== 'F32' && device?.features?.includes('shader-f16') === true;
  const needed = narrow ? onnxBytes / 2 : onnxBytes;
  const fits = needed <= wasmBytes;
  return {
    label: benchmarkLabel,
    fits,
    arithmetic: narrow
      ? `ONNX Runtime keeps the weights in 16 bits: ${bytes(needed)} of at most ${bytes(wasmBytes)}`
      : `ONNX Runtime needs the weights in float32: ${bytes(needed)} of at most ${bytes(wasmBytes)}`,
    ...(fits
      ? {}
      : {
          remedy: 'Scores and perplexity work without the benchmark; you can benchmark variants that are small enough.',
        }),
  };
}
