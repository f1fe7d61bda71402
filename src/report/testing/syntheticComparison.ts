/**
 * @file Rows of a comparison that was never measured, for the demo's shape (12 blocks, 8 heads in 4 groups, 352 neurons): the base
 * and twelve variants, depth, width and both, before and after repair, timed at several batch sizes.
 */
import type { DeviceLabel } from '../../benchmark/deviceLabel';
import { emptyPlan, type PruningPlan } from '../../pruning/plan';
import type { RepairMethod } from '../../pruning/repairMethods';
import type { Step } from '../../pruning/variant';
import type { ComparisonRow, LatencyResult, PerplexityResult } from '../results';

const parameters = 2_443_136;
const text = { corpus: 'evaluation', sequences: 8, seqLen: 128, hash: 'a'.repeat(16) };
const repairText = { corpus: 'calibration', samples: 10, seqLen: 128, seed: 0, hash: 'b'.repeat(16) };

interface Spec {
  readonly name: string;
  readonly plan: Partial<PruningPlan>;
  readonly ratio: number;
  readonly perplexity: number;
  /** Speed-up at each batch size. */
  readonly speeds: readonly number[];
  readonly repair?: RepairMethod;
  readonly parent?: string;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
/** The first neurons of every block stay. `from`: tells two plans of equal size apart. */
const neurons = (kept: number, from = 0) => range(12).map(() => range(kept).map((index) => index + from));
/** The middle blocks lose their last key/value group. */
const heads = range(12).map((layer) => (layer > 2 && layer < 9 ? range(6) : null));
const blocks = (...removeBlocks: number[]): Partial<PruningPlan> => ({ removeBlocks });

const specs: readonly Spec[] = [
  { name: 'Taylor+ 20 %', plan: blocks(1, 2, 5), ratio: 0.227, perplexity: 1.962, speeds: [1.24, 1.25, 1.26, 1.27] },
  {
    name: 'Taylor+ 20 %, ReplaceMe',
    plan: blocks(1, 2, 5),
    ...{ ratio: 0.227, perplexity: 1.893, speeds: [1.23, 1.25, 1.26, 1.26], repair: 'replace-me', parent: 'v1' },
  },
  { name: 'Perplexity 20 %', plan: blocks(1, 2, 4), ratio: 0.227, perplexity: 1.936, speeds: [1.25, 1.26, 1.25, 1.27] },
  {
    name: 'Perplexity 20 %, Prune&Comp',
    plan: blocks(1, 2, 4),
    ...{ ratio: 0.227, perplexity: 1.911, speeds: [1.24, 1.25, 1.26, 1.27], repair: 'prune-and-comp', parent: 'v3' },
  },
  { name: 'SLEB 20 %', plan: blocks(2, 4, 7), ratio: 0.227, perplexity: 1.927, speeds: [1.24, 1.24, 1.26, 1.26] },
  {
    name: 'Block influence 20 %',
    plan: blocks(3, 4, 6),
    ...{ ratio: 0.227, perplexity: 2.071, speeds: [1.26, 1.25, 1.25, 1.27] },
  },
  {
    name: 'FLAP 20 %, without biases',
    plan: { keepNeurons: neurons(240), keepHeads: heads },
    ...{ ratio: 0.2, perplexity: 2.148, speeds: [1.03, 1.06, 1.09, 1.12] },
  },
  {
    name: 'FLAP 20 %',
    plan: { keepNeurons: neurons(240), keepHeads: heads },
    ...{ ratio: 0.199, perplexity: 2.021, speeds: [1.02, 1.05, 1.08, 1.11], repair: 'flap-bias' },
  },
  {
    name: 'Wanda-sp 20 %',
    plan: { keepNeurons: neurons(238, 3), keepHeads: heads },
    ...{ ratio: 0.201, perplexity: 2.209, speeds: [1.04, 1.05, 1.1, 1.12] },
  },
  {
    name: 'LLM-Pruner 20 %',
    plan: { keepNeurons: neurons(236, 7) },
    ...{ ratio: 0.204, perplexity: 2.094, speeds: [0.98, 1.04, 1.07, 1.1] },
  },
  {
    name: 'Magnitude-sp 20 %',
    plan: { keepNeurons: neurons(239, 9) },
    ...{ ratio: 0.2, perplexity: 2.847, speeds: [1.01, 1.05, 1.06, 1.09] },
  },
  {
    name: 'Best under 4.6 ms per token',
    plan: {
      removeBlocks: [2, 4],
      keepNeurons: neurons(320).map((list, layer) => (layer === 2 || layer === 4 ? null : list)),
    },
    ...{ ratio: 0.203, perplexity: 1.902, speeds: [1.19, 1.2, 1.22, 1.24] },
  },
];

const batches = [1, 2, 4, 8];
/** Milliseconds per decoding step of the base, by batch size. */
const baseMs = [5.8, 6.9, 9.4, 14.6];

/** The base and twelve variants. `software`: the times are those of a software adapter. */
export function syntheticComparison(model: string, software = true): ComparisonRow[] {
  const adapter = software ? 'google swiftshader' : 'nvidia ada';
  const device = (runtime: string): DeviceLabel => ({ adapter, software, runtime });
  const scored = (perplexity: number): PerplexityResult => ({
    ...{ perplexity, meanNll: Math.log(perplexity), tokens: 1016, milliseconds: 800, runtime: 'wgsl', text },
    device: device('WGSL engine'),
  });
  const timed = (at: number, speed: number | null, wide: number): LatencyResult => {
    const batch = batches[at]!;
    const decodeMsPerToken = baseMs[at]! / (speed ?? 1);
    const latencyMs = 12 + 64 * decodeMsPerToken;
    const between = (ratio: number) => ({ ratio, low: ratio * (1 - wide), high: ratio * (1 + wide) });
    return {
      ...{ batch, prefillMs: 12, decodeMsPerToken, latencyMs, throughput: (batch * 64_000) / latencyMs },
      ...{ spread: latencyMs * 0.02, peakBytes: 1e7, runtime: 'ort-webgpu', promptTokens: 12, newTokens: 64 },
      ...{ runs: 6, warmups: 1, device: device('ONNX Runtime WebGPU') },
      ...(speed === null
        ? {}
        : { speedUp: { ...between(speed), against: 'base', decode: between(speed), pairs: 6, inTurns: true } }),
    };
  };
  const row = (variant: string, spec: Spec): ComparisonRow => {
    const plan: PruningPlan = { ...emptyPlan(model), ...spec.plan };
    const prune: Step[] = variant === 'base' ? [] : [{ kind: 'prune', plan }];
    const patch = { sha256: 'c'.repeat(63) + variant.slice(-1), bytes: 6000, tensors: [] };
    const own = spec.repair === 'prune-and-comp' ? { rescalings: [{ before: 4, factor: 1.1 }] } : { patch };
    const repair: Step[] = spec.repair ? [{ kind: 'repair', method: spec.repair, text: repairText, ...own }] : [];
    return {
      ...{ variant, name: spec.name, plan, parameters: Math.round(parameters * (1 - spec.ratio)), ratio: spec.ratio },
      ...{ layers: 12 - plan.removeBlocks.length, parent: variant === 'base' ? null : (spec.parent ?? 'base') },
      recipe: [...prune, ...repair],
      patchBytes: spec.repair && spec.repair !== 'prune-and-comp' ? 6000 : 0,
      perplexity: { wgsl: scored(spec.perplexity) },
      latency: batches.map((_, at) => timed(at, spec.speeds[at] ?? null, 0.01 + 0.004 * (at % 3))),
    };
  };
  const base = row('base', { name: 'original model', plan: {}, ratio: 0, perplexity: 1.838, speeds: [] });
  return [base, ...specs.map((spec, index) => row(`v${index + 1}`, spec))];
}
