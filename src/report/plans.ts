/**
 * @file Plans and recipes in a record. In memory a plan lists the heads and neurons that stay; as written to JSON and IndexedDB
 * each list is a bit set in base64 (`indexSet.ts`). Both forms are read.
 */

import { widthMethods } from '../importance/methods';
import { byKind, flag, kind, list, mapped, object, oneOf, orNull, type Schema, text, whole } from '../io/schema';
import { projectionRoles } from '../model/shape';
import type { KeptByLayer, PruningPlan } from '../pruning/plan';
import { repairMethods } from '../pruning/repairMethods';
import {
  type PatchedTensor,
  type PatchFacts,
  type RepairStep,
  type RetrainStep,
  retrainMethods,
  type Step,
  schedules,
  type TrainingSetting,
  type TrainingText,
} from '../pruning/variant';
import { headRemovals, type WidthRule, widthMultiples } from '../pruning/widthRule';
import { amount, count, most, name } from './fields';
import { readIndexSet, writeIndexSet } from './indexSet';

const blocks = list(count, 0, most.units);

const isAscending = (value: readonly unknown[]): boolean =>
  value.every((index, at) => isIndex(index) && (at === 0 || index > (value[at - 1] as number)));
const isIndex = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < most.neurons;

/** Indices that stay, written as a list or as a bit set. */
const indices: Schema<number[]> = mapped(
  kind<readonly number[] | string>(
    `ascending whole numbers below ${most.neurons}, or a bit set of them in base64`,
    (value) =>
      typeof value === 'string'
        ? readIndexSet(value, most.neurons) !== null
        : Array.isArray(value) && value.length <= most.neurons && isAscending(value),
  ),
  (value) => (typeof value === 'string' ? (readIndexSet(value, most.neurons) ?? []) : [...value]),
);
const kept: Schema<KeptByLayer> = list(orNull(indices), 0, most.units);

const repairMethod = oneOf(repairMethods);
const widthRule: Schema<WidthRule> = object(
  { method: oneOf(widthMethods.map(({ id }) => id)), ratio: amount },
  {
    ...{ asPublished: oneOf([true]), sequential: flag, roundTo: oneOf(widthMultiples), heads: oneOf(headRemovals) },
    ...{ protected: blocks, wholeHeads: blocks, spared: blocks },
  },
);
export const pruningPlan: Schema<PruningPlan> = object(
  {
    version: whole(1, 1),
    model: text(most.source),
    removeBlocks: blocks,
    removeAttention: blocks,
    removeMlp: blocks,
  },
  { keepHeads: kept, keepNeurons: kept, repair: repairMethod, rule: widthRule },
) as Schema<PruningPlan>;

const patchedTensor: Schema<PatchedTensor> = object({
  name,
  dtype: text(16),
  dims: list(count, 0, 8),
});

const patchFacts = { sha256: text(64), bytes: count, tensors: list(patchedTensor, 0, most.tensors) };
const patch: Schema<PatchFacts> = object(patchFacts);
const textFacts = { corpus: name, samples: count, seqLen: count, seed: count, hash: name };
const repairText = object(textFacts);
const trainingText: Schema<TrainingText> = object(textFacts, {
  ...{ addBosToEvery: flag, heldOut: amount, source: name },
  generated: object({ temperature: amount }, { topK: count }),
});
const rescalings = list(object({ before: count, factor: amount }), 0, most.steps);
const repair: Schema<RepairStep> = object(
  { kind: oneOf(['repair']), method: repairMethod, text: repairText },
  { rescalings, patch },
);

const trainingSetting: Schema<TrainingSetting> = object(
  {},
  {
    ...{ warmup: count, schedule: oneOf(schedules), clip: amount, beta1: amount, beta2: amount, weightDecay: amount },
    ...{ loraLearningRate: amount, stepsAsked: count },
  },
);

const retrain: Schema<RetrainStep> = object(
  {
    ...{ kind: oneOf(['retrain']), method: oneOf(retrainMethods), text: trainingText },
    ...{ steps: count, batch: count, learningRate: amount, seed: count },
  },
  {
    patch,
    lora: object(
      { rank: count, alpha: amount, dropout: amount },
      { targets: list(oneOf(projectionRoles), 0, projectionRoles.length), steps: count },
    ),
    distill: object({ temperature: amount, weight: amount }),
    setting: trainingSetting,
    tokens: count,
    seconds: amount,
  },
);

const step: Schema<Step> = byKind<Step>({
  prune: object({ kind: oneOf(['prune']), plan: pruningPlan }),
  patch: object({ kind: oneOf(['patch']), ...patchFacts }),
  repair,
  retrain,
});
export const recipe: Schema<Step[]> = list(step, 0, most.steps);

/** A plan as it is written. */
export interface WrittenPlan extends Omit<PruningPlan, 'keepHeads' | 'keepNeurons'> {
  readonly keepHeads?: readonly (string | null)[];
  readonly keepNeurons?: readonly (string | null)[];
}

/** The short form of a plan. */
export function writtenPlan({ keepHeads, keepNeurons, ...rest }: PruningPlan): WrittenPlan {
  const written = (lists: KeptByLayer) => lists.map((each) => each && writeIndexSet(each));
  return {
    ...rest,
    ...(keepHeads && { keepHeads: written(keepHeads) }),
    ...(keepNeurons && { keepNeurons: written(keepNeurons) }),
  };
}

/** The short form of a row of a comparison, with its plan and the plans of its recipe. */
export function writtenRow<R extends { readonly plan: PruningPlan; readonly recipe: readonly Step[] }>(row: R): object {
  const steps = row.recipe.map((each) => (each.kind === 'prune' ? { ...each, plan: writtenPlan(each.plan) } : each));
  return { ...row, plan: writtenPlan(row.plan), recipe: steps };
}

/** Where the heads and neurons that a plan keeps do not fit the blocks of its model. */
export interface Misfit {
  /** From the plan on, such as 'keepNeurons.3'. */
  readonly where: string;
  readonly expected: string;
  readonly got: unknown;
}

/** Compares what a plan keeps with the blocks of a shape, which may come from outside too. Null where it fits. */
export function misfitOf(plan: PruningPlan, shape: unknown): Misfit | null {
  const layers = layersOf(shape);
  const lists = [
    ['keepHeads', 'heads'],
    ['keepNeurons', 'ffn'],
  ] as const;
  for (const [field, size] of lists) {
    const kept = plan[field];
    if (kept === undefined) continue;
    if (kept.length !== layers.length) {
      return { where: field, expected: `one entry for each of the ${layers.length} blocks`, got: kept.length };
    }
    for (const [layer, indices] of kept.entries()) {
      const end = layers[layer]?.[size];
      const last = indices?.at(-1) ?? -1;
      if (typeof end !== 'number' || last < end) continue;
      return { where: `${field}.${layer}`, expected: `indices below ${end}`, got: last };
    }
  }
  return null;
}

function layersOf(shape: unknown): readonly Readonly<Record<string, unknown>>[] {
  const layers = (shape as { layers?: unknown } | null)?.layers;
  return Array.isArray(layers) ? layers : [];
}
