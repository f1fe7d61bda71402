/** @file What a training would take of GPU memory, and whether it fits: arithmetic on shapes, before anything runs. */

import { weightShare } from '../../engine/lanes';
import { fullTensors } from '../../engine/train/fullWeights';
import { planTraining, type TrainingPlan, type TrainingSize } from '../../engine/train/plan';
import { blockLayout } from '../../engine/weights/blockLayout';
import { LabError } from '../../errors';
import { modelParameters } from '../../model/count';
import type { GpuBudget } from '../../model/memory';
import {
  layerRoles,
  layerWeightDims,
  modelRoles,
  modelWeightDims,
  type ProjectionRole,
  projectionRoles,
} from '../../model/shape';
import { baseViewId, type ModelView } from '../../model/view';
import { bytesPerElement, placeOf } from '../../model/weights';
import { inFloat32 } from '../../weights/inFloat32';
import { gpuBudget } from '../contract/deviceBudget';
import type { RetrainRequest, TrainingMemory } from '../contract/retraining';
import type { Plain } from '../contract/workerSession';
import type { Gpu } from './gpu';
import type { Workspace } from './workspace';

type View = Pick<ModelView, 'shape' | 'weights'>;
type Setting = Pick<Plain<RetrainRequest>, 'method' | 'rank' | 'targets'>;

/** The rank of a training that names none. */
export const usualRank = 8;

/** What a training takes, the bytes that stay on the GPU beside it, and the arithmetic of its least. */
interface Needs {
  readonly size: TrainingSize;
  /** Embedding, final norm and head that it trains or reads. */
  readonly tables: number;
  /** The base's, where they are not the same. */
  readonly baseTables: number;
  readonly teacherBlocks: number;
  readonly trained: number;
  readonly handsOver: boolean;
  /** Its largest piece in one binding. */
  readonly binding: number;
}

/** `lab.trainingMemory`. */
export async function trainingMemoryOf(
  { variants }: Pick<Workspace, 'variants'>,
  gpu: Gpu,
  id: string,
  request: Setting,
): Promise<TrainingMemory> {
  return trainingMemory(variants.view(id), variants.view(baseViewId), request, gpuBudget(await gpu.device()));
}

/** @param view the variant before the training */
export function trainingMemory(view: View, base: View, setting: Setting, budget: GpuBudget): TrainingMemory {
  const needs = needsOf(view, base, setting, budget);
  const { plan, limit } = planned(needs, budget);
  const weights = needs.tables + plan.blocks;
  const moments = plan.moments + plan.passing;
  const own = weights + plan.gradients + moments + needs.baseTables;
  // The teacher's blocks take what is left, and alternate where that is not enough.
  const teacher =
    needs.baseTables + Math.max(0, Math.min(needs.teacherBlocks, (limit ?? Number.POSITIVE_INFINITY) - own));
  return {
    ...{ parameters: modelParameters(view.shape), trained: needs.trained },
    ...{ weights, gradients: plan.gradients, moments, teacher },
    total: weights + plan.gradients + moments + teacher,
    limit,
    blockByBlock: plan.way === 'blockByBlock',
  };
}

/** @throws LabError 'unsupported-limit' for a training that does not fit even block by block, with the arithmetic and with one that fits */
export function refuseForMemory(view: View, base: View, setting: Setting, budget: GpuBudget): void {
  const needs = needsOf(view, base, setting, budget);
  const { bindingBytes, budgetBytes } = budget;
  const parameters = modelParameters(view.shape);
  const lora = { method: 'lora', rank: usualRank } as const;
  if (bindingBytes !== null && needs.binding > bindingBytes) {
    const smaller = setting.method !== 'lora' && needsOf(view, base, lora, budget).binding <= bindingBytes;
    throw new LabError(
      'unsupported-limit',
      `retrain: the largest stacked matrix of a block takes ${needs.binding} bytes in one buffer (${setting.method === 'lora' ? 'as it is stored' : 'float32'}), and this GPU binds at most ${bindingBytes}.`,
      smaller ? "Train low-rank factors ('lora'): the weights keep their stored type." : 'Train a smaller variant.',
    );
  }
  const { plan, limit } = planned(needs, budget);
  const least = leastOf(needs, plan);
  if (limit === null || budgetBytes === null || least <= limit) return;
  const factors = leastOf(needsOf(view, base, lora, budget), planned(needsOf(view, base, lora, budget), budget).plan);
  const enough = Math.ceil(least / weightShare);
  throw new LabError(
    'unsupported-limit',
    `retrain: '${setting.method}' of ${parameters} parameters ${arithmetic(needs, plan)} = ${least} bytes of GPU memory, and ${limit} are there (three quarters of the limit of ${budgetBytes}; the rest is for activations).`,
    [
      ...(setting.method !== 'lora' && factors <= limit
        ? [`Low-rank factors ('lora', rank ${usualRank}) need ${factors} bytes and fit.`]
        : []),
      `Or raise the limit to ${enough} bytes with lab.limitMemory, or train a smaller variant.`,
    ].join(' '),
  );
}

/** A GPU that was full in the middle: the same error with what the training takes. */
export function outOfMemory(thrown: LabError, { total, trained }: TrainingMemory): LabError {
  return new LabError(
    'out-of-memory',
    `${thrown.message} The training of ${trained} weights takes about ${total} bytes beside its activations.`,
    "Close other tabs that use the GPU, train with shorter or fewer rows a step, or train low-rank factors ('lora').",
    { cause: thrown },
  );
}

function leastOf({ tables, baseTables }: Needs, { least }: TrainingPlan): number {
  return tables + baseTables + least;
}

function arithmetic({ tables, baseTables, handsOver }: Needs, plan: TrainingPlan): string {
  const rest = plan.least - plan.twoBlocks;
  const updates = handsOver
    ? `${rest} (one block's gradients, and moments on their way)`
    : `${rest} (gradients and moments)`;
  const beside = baseTables === 0 ? '' : ` + ${baseTables} (the base's embedding and head)`;
  return `needs at least ${tables} (embedding and head) + ${plan.twoBlocks} (two blocks) + ${updates}${beside}`;
}

function planned(needs: Needs, { budgetBytes }: GpuBudget): { plan: TrainingPlan; limit: number | null } {
  const limit = budgetBytes === null ? null : Math.floor(budgetBytes * weightShare);
  const room = limit === null ? Number.POSITIVE_INFINITY : limit - needs.tables - needs.baseTables;
  return { plan: planTraining(needs.size, room, needs.handsOver), limit };
}

function needsOf(view: View, base: View, setting: Setting, { bindingBytes }: GpuBudget): Needs {
  const { shape } = view;
  const allWeights = setting.method !== 'lora';
  const weights = allWeights ? inFloat32(shape, view.weights, 'training') : view.weights;
  const layouts = shape.layers.map((layer) => blockLayout(shape, layer, weights));
  const tensors = allWeights ? fullTensors(shape) : factorsOf(view, setting);
  const count = (layer: number | null): number =>
    tensors.reduce((sum, tensor) => sum + (tensor.layer === layer ? tensor.count : 0), 0);
  const places = new Set(modelRoles(shape).map((role) => placeOf(weights.modelTensor(role))));
  const size: TrainingSize = {
    blocks: layouts.map(({ bytes }) => bytes),
    trainedOutside: count(null),
    trained: shape.layers.map((_, layer) => count(layer)),
    largestTensor: Math.max(0, ...tensors.map((tensor) => tensor.count)),
    bufferBytes: bindingBytes,
  };
  return {
    size,
    tables: tableBytes({ shape, weights }, () => true),
    baseTables: tableBytes(base, (place) => !places.has(place)),
    teacherBlocks: setting.method === 'distill' ? blockBytes(base) : 0,
    trained: tensors.reduce((sum, tensor) => sum + tensor.count, 0),
    handsOver: allWeights,
    binding: Math.max(...layouts.flatMap(({ parts }) => parts.map(({ bytes }) => bytes))),
  };
}

const blockBytes = ({ shape, weights }: View): number =>
  shape.layers.reduce((sum, layer) => sum + blockLayout(shape, layer, weights).bytes, 0);

/** Of the embedding, the final norm and the head that are counted. The final norm lies on the GPU as float32. */
function tableBytes({ shape, weights }: View, counts: (place: string) => boolean): number {
  return modelRoles(shape).reduce((sum, role) => {
    const tensor = weights.modelTensor(role);
    if (!counts(placeOf(tensor))) return sum;
    const elements = modelWeightDims(shape, role).reduce((a, b) => a * b, 1);
    return sum + elements * (role === 'finalNorm' ? 4 : bytesPerElement[tensor.dtype]);
  }, 0);
}

/** The low-rank factors: rank × (inputs + outputs) for each projection. */
function factorsOf(
  { shape }: View,
  { rank = usualRank, targets = [...projectionRoles] }: Setting,
): { layer: number | null; count: number }[] {
  return shape.layers.flatMap((layer, index) =>
    layerRoles(layer)
      .filter((role): role is ProjectionRole => targets.some((target) => target === role))
      .map((role) => ({ layer: index, count: rank * layerWeightDims(shape, layer, role).reduce((a, b) => a + b, 0) })),
  );
}
