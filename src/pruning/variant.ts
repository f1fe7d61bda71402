/** @file A variant: a model made from another one by steps that can be told, with weights of its own where a step changed them. */
import type { ProjectionRole } from '../model/shape';
import type { ModelView } from '../model/view';
import { isEmptyPlan, type PruningPlan } from './plan';
import type { RepairMethod } from './repairMethods';

/** One tensor of a patch: what replaces a tensor of the parent, or a bias that the parent lacks. */
export interface PatchedTensor {
  /** Hugging Face name in the checkpoint: block indices are those of the base. */
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly number[];
}

/** The file of a variant's own tensors, all of them together. */
export interface PatchFacts {
  /** Hexadecimal SHA-256 of the file: tells two patches of the same tensors apart. */
  readonly sha256: string;
  /** Size of the file. */
  readonly bytes: number;
  readonly tensors: readonly PatchedTensor[];
}

/**
 * Gives the hidden state another size before a block: the embedding, and oProj and downProj of every block whose index in
 * the base is below `before`, are multiplied by `factor`. The head reads the hidden state at its old size.
 */
export interface Rescaling {
  readonly before: number;
  readonly factor: number;
}

/** What a repair was computed from. */
export interface RepairText {
  readonly corpus: string;
  readonly samples: number;
  readonly seqLen: number;
  readonly seed: number;
  /** Hash of the token ids. */
  readonly hash: string;
}

/** What a training read: sizes and hash are those of the rows that were trained on. */
export interface TrainingText extends RepairText {
  /** The start token stands before every row. */
  readonly addBosToEvery?: boolean;
  /** The base wrote the text itself. */
  readonly generated?: { readonly temperature: number; readonly topK?: number };
  /** Where pairs of instruction and response come from, as 'hf:owner/name@commit/path'. */
  readonly source?: string;
  /** Share of the text's rows that was held out. */
  readonly heldOut?: number;
}

/** Leaves blocks, sub-blocks, heads and neurons out. The plan says all that is left out, also by steps before this one. */
export interface PruneStep {
  readonly kind: 'prune';
  readonly plan: PruningPlan;
}

/** Replaces tensors by those of a file from outside. */
export interface PatchStep extends PatchFacts {
  readonly kind: 'patch';
}

/** Mends what pruning broke, without training. */
export interface RepairStep {
  readonly kind: 'repair';
  readonly method: RepairMethod;
  readonly text: RepairText;
  /** All factors of the variant from this step on, where the method rescales. */
  readonly rescalings?: readonly Rescaling[];
  /** All tensors of the variant's own from this step on, where it has some. */
  readonly patch?: PatchFacts;
}

/**
 * How a variant's weights are trained: all of them, small factors beside frozen matrices (LoRA), one after the other, or all of them
 * towards the logits of the base.
 */
export const retrainMethods = ['full', 'lora', 'full+lora', 'distill'] as const;
export type RetrainMethod = (typeof retrainMethods)[number];

/** Low-rank factors: W + alpha / rank · B · A for the projections of `targets`. */
export interface LoraSetting {
  readonly rank: number;
  readonly alpha: number;
  /** Of the factors' input, while they are trained. */
  readonly dropout: number;
  /** Roles of the projections; all seven without it. */
  readonly targets?: readonly ProjectionRole[];
}

/** Distillation: (1 − weight) · loss + weight · temperature² · KL(base ‖ variant), both softened by the temperature. */
export interface DistillSetting {
  readonly temperature: number;
  readonly weight: number;
}

export const schedules = ['constant', 'linear', 'cosine'] as const;
/** The course of the learning rate behind the warm-up. */
export type Schedule = (typeof schedules)[number];

/** Everything of a training's request that was not the default, beside what its step says. */
export interface TrainingSetting {
  readonly warmup?: number;
  readonly schedule?: Schedule;
  readonly clip?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly weightDecay?: number;
  readonly loraLearningRate?: number;
  /** Steps that were asked for, where the training was stopped and kept before. */
  readonly stepsAsked?: number;
}

/** Trains weights on a text. */
export interface RetrainStep {
  readonly kind: 'retrain';
  readonly method: RetrainMethod;
  readonly text: TrainingText;
  /** In all, those with low-rank factors included. */
  readonly steps: number;
  /** Rows of a step. */
  readonly batch: number;
  readonly learningRate: number;
  readonly seed: number;
  /** For methods with low-rank factors; `steps` of 'full+lora' are the last ones of all. */
  readonly lora?: LoraSetting & { readonly steps?: number };
  readonly distill?: DistillSetting;
  /** Absent in reports of earlier versions, which do not tell it. */
  readonly setting?: TrainingSetting;
  /** Tokens that the training predicted, and the seconds that its steps took. */
  readonly tokens?: number;
  readonly seconds?: number;
  /** All tensors of the variant's own from this step on. */
  readonly patch?: PatchFacts;
}

/** What was done to a parent. */
export type Step = PruneStep | PatchStep | RepairStep | RetrainStep;

export interface Variant {
  /** Never given to another variant of the same stored model. The view has the same id. */
  readonly id: string;
  readonly name: string;
  /** Id of the variant that it was made from; null for the base. */
  readonly parent: string | null;
  /** From the base to this variant, in the order in which it was done. */
  readonly recipe: readonly Step[];
  readonly view: ModelView;
}

/** The file with all of a variant's own tensors; null for one that has none. */
export function patchOf(recipe: readonly Step[]): PatchFacts | null {
  for (const step of recipe.toReversed()) {
    if (step.kind === 'patch') return step;
    if ((step.kind === 'repair' || step.kind === 'retrain') && step.patch) return step.patch;
  }
  return null;
}

/** A recipe whose variant has no tensors of its own any more: what made them is told, they are not. */
export function withoutPatches(recipe: readonly Step[]): Step[] {
  return recipe.flatMap((step): Step[] => {
    if (step.kind === 'patch') return [];
    if (step.kind === 'prune') return [step];
    const { patch: _, ...rest } = step;
    return [rest];
  });
}

/** A recipe whose variant has these tensors: they come from its last step where that was just made and makes tensors, else from a step of their own. */
export function withPatchStep(recipe: readonly Step[], facts: PatchFacts, justMade: boolean): Step[] {
  const last = recipe.at(-1);
  if (justMade && (last?.kind === 'repair' || last?.kind === 'retrain'))
    return [...recipe.slice(0, -1), { ...last, patch: facts }];
  return [...recipe, { kind: 'patch', ...facts }];
}

/** The factors that a variant's weights are read with; none for most. */
export function rescalingsOf(recipe: readonly Step[]): readonly Rescaling[] {
  const step = recipe.findLast((each) => each.kind === 'repair' && each.rescalings !== undefined);
  return step?.kind === 'repair' ? (step.rescalings ?? []) : [];
}

/** Whether a variant's weights are the base's: the rows and columns that its plan keeps, and nothing else. */
export function hasBaseWeights(recipe: readonly Step[]): boolean {
  return recipe.every(({ kind }) => kind === 'prune');
}

/** The recipe of a plan that is applied to the base. */
export function recipeOf(plan: PruningPlan): Step[] {
  return isEmptyPlan(plan) ? [] : [{ kind: 'prune', plan }];
}

/** Whether two recipes make the same weights. Plans are compared by their variants. */
export function sameWeights(a: readonly Step[], b: readonly Step[]): boolean {
  const rescaled = (recipe: readonly Step[]) => JSON.stringify(rescalingsOf(recipe));
  return patchOf(a)?.sha256 === patchOf(b)?.sha256 && rescaled(a) === rescaled(b);
}
