/**
 * @file FLAP's bias compensation (An et al., 2024): the mean of the removed channels, times their columns, as a bias of oProj and
 * downProj.
 */
import type { WidthStatistics } from '../engine/engine';
import { LabError, throwIfAborted } from '../errors';
import type { BiasRole, LayerRole, LayerShape } from '../model/shape';
import { toFloat32 } from '../model/weights';
import type { Weighted } from '../pruning/cuts';
import { keptOf, type PruningPlan, removedLayers } from '../pruning/plan';
import type { TaskOptions } from '../task';
import { ownTensor, rowsOf, valuesOf } from './tensors';
import type { OwnTensor, Repair, Setting } from './types';

interface SubBlock {
  readonly kind: 'attention' | 'mlp';
  readonly list: 'keepHeads' | 'keepNeurons';
  readonly projection: LayerRole;
  readonly bias: BiasRole;
  /** Channels of one head or neuron, and how many of these a layer has. */
  readonly width: (layer: LayerShape) => number;
  readonly count: (layer: LayerShape) => number;
}

const subBlocks: readonly SubBlock[] = [
  {
    ...({ kind: 'attention', list: 'keepHeads', projection: 'oProj', bias: 'oBias' } as const),
    width: ({ headDim }) => headDim,
    count: ({ heads }) => heads,
  },
  {
    ...({ kind: 'mlp', list: 'keepNeurons', projection: 'downProj', bias: 'downBias' } as const),
    width: () => 1,
    count: ({ ffn }) => ffn,
  },
];

/** The input channels of a projection that the plan cuts, ascending; none where it removes the sub-block as a whole. */
function cutChannels(
  layer: LayerShape,
  index: number,
  plan: PruningPlan,
  { kind, list, width, count }: SubBlock,
): number[] {
  const gone = removedLayers(plan, 'block').includes(index) || removedLayers(plan, kind).includes(index);
  const kept = gone ? null : keptOf(plan, list, index);
  if (kept === null) return [];
  const stays = new Set(kept);
  const size = width(layer);
  return Array.from({ length: count(layer) }, (_, at) => at).flatMap((at) =>
    stays.has(at) ? [] : Array.from({ length: size }, (_, channel) => at * size + channel),
  );
}

/**
 * The biases of every attention and MLP that loses single heads or neurons: bias + Σ over cut channels j of mean_j · W[:, j], with the
 * projection W [hidden, channels] before the cut, and the bias 0 where the model has none. A sub-block that is removed as a whole
 * keeps no bias. Sums in float64, results F32. Of families with norms on outputs the bias is added before the norm.
 *
 * @param before the model that is pruned
 * @param plan in indices of `before`
 * @param statistics of `before`
 * @throws LabError 'not-available' where the plan cuts no single heads or neurons, 'non-finite' where a bias leaves float32
 */
export async function flapBiases(
  before: Weighted,
  plan: PruningPlan,
  statistics: WidthStatistics,
  task: TaskOptions = {},
): Promise<OwnTensor[]> {
  const { shape, weights } = before;
  const all = shape.layers.flatMap((layer, index) =>
    subBlocks.map((part) => ({ layer, index, part, cut: cutChannels(layer, index, plan, part) })),
  );
  const wanted = all.filter(({ cut }) => cut.length > 0);
  if (wanted.length === 0) throw nothingCut();
  const biases: OwnTensor[] = [];
  for (const [done, { layer, index, part, cut }] of wanted.entries()) {
    task.onProgress?.({ stage: 'biases', done, total: wanted.length, unit: 'matrices' });
    const means = statistics.layers[index]![part.kind]!.mean;
    const matrix = weights.layerTensor(part.projection, layer.source);
    const [height, width] = matrix.dims as [number, number];
    const sums = new Float64Array(height);
    for await (const { first, bytes } of rowsOf(weights, matrix, task)) {
      const values = toFloat32(bytes, matrix.dtype);
      for (let at = 0; at < values.length; at += width) {
        let sum = 0;
        for (const j of cut) sum += means[j]! * values[at + j]!;
        sums[first + at / width] = sum;
      }
    }
    if (layer.biases?.includes(part.bias)) {
      const held = await valuesOf(weights, weights.layerTensor(part.bias, layer.source), task);
      held.forEach((value, at) => {
        sums[at]! += value;
      });
    }
    const bias = Float32Array.from(sums);
    if (!bias.every(Number.isFinite)) throw notFinite(part.bias, layer.source);
    biases.push(ownTensor(shape, part.bias, layer.source, [height], bias));
    throwIfAborted(task.signal, 'The repair');
  }
  task.onProgress?.({ stage: 'biases', done: wanted.length, total: wanted.length, unit: 'matrices' });
  return biases;
}

/** Measures the means on the model before the cut, and makes the biases. */
export async function flapBias({ before, plan, sequences, open, ...task }: Setting): Promise<Repair> {
  const cutsWidth = plan.keepHeads !== undefined || plan.keepNeurons !== undefined;
  if (!cutsWidth) throw nothingCut();
  const statistics = await open(before, (probe) => probe.widthStatistics(sequences, task), task);
  return { tensors: await flapBiases(before, plan, statistics, task), rescalings: [] };
}

function nothingCut(): LabError {
  return new LabError(
    'not-available',
    "The repair 'flap-bias' stands in for single heads and neurons, and none is removed beyond what the parent lacks.",
    "Use 'prune-and-comp' or 'replace-me' for removed blocks, or the repair 'none'.",
  );
}

function notFinite(role: BiasRole, source: number): LabError {
  return new LabError(
    'non-finite',
    `The ${role} of block ${source} that stands in for what was cut is infinite or not a number.`,
    "Calibrate on another text, or use the repair 'none'.",
  );
}
