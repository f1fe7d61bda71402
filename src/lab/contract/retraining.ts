/** @file What `lab.retrain` and the queue of trainings take and give. */
import type { DistillSetting, LoraSetting, RetrainMethod, Schedule } from '../../pruning/variant';
import type { Instruction } from '../../retrain/alpaca';
import type { DatasetInstructions, InstructionDataset } from '../../retrain/datasetInstructions';
import type { HeldOut, TrainingStep } from '../../retrain/train';
import type { TaskOptions } from '../../task';
import type { CorpusRequest } from './corpusRequest';
import type { Failure } from './failure';
import type { VariantInfo } from './variantInfo';

export type { DatasetInstructions, Instruction, InstructionDataset };

/** Text that the base writes itself, token by token from its start token on. */
export interface GeneratedText {
  /** Rows, and tokens of each. */
  rows: number;
  seqLen: number;
  /** Default 1. */
  temperature?: number;
  /** Default: all tokens. */
  topK?: number;
}

/** Rows of tokens to train on: given ids in their order, a text, or a corpus by its name; the built-in corpus unless told. */
export interface RetrainRequest extends CorpusRequest, TaskOptions, Partial<LoraSetting>, Partial<DistillSetting> {
  /**
   * 'full' trains all weights; 'lora' low-rank factors of the projections, which are merged at the end; 'full+lora' one after the
   * other; 'distill' all weights, towards the base's logits. `rank` is 8 unless given, `alpha` 16, `dropout` 0; `temperature` is 2,
   * the `weight` of the divergence in the loss 0.5.
   */
  method: RetrainMethod;
  /** In all, for 'full+lora' too. */
  steps: number;
  /** Rows of a step. */
  batch: number;
  learningRate: number;
  /** Of 'full+lora': how many of the last steps train the factors (default half), and their learning rate (default the same). */
  loraSteps?: number;
  loraLearningRate?: number;
  /** Decoupled, default 0. */
  weightDecay?: number;
  /** Steps until the learning rate is reached, default 0. */
  warmup?: number;
  /** Default 'constant'. */
  schedule?: Schedule;
  /** Largest global norm of the gradients, default 1. */
  clip?: number;
  /** AdamW's, default 0.9 and 0.999. */
  beta1?: number;
  beta2?: number;
  /** Of the order of the rows, another one in every epoch; the calibration's without it. Given ids are trained on in their order. */
  seed?: number;
  /** Only so many rows, from the text's first on; all of them without it. */
  samples?: number;
  /** In place of a text: pairs, each a row of at most `seqLen` tokens (default 128). */
  instructions?: Instruction[];
  /** Where the pairs come from: the recipe and reports tell it. `lab.readInstructions` of a data set gives it as `source`. */
  instructionsFrom?: string;
  /** In place of a text: drawn by `seed`, or the calibration's. */
  generated?: GeneratedText;
  /**
   * In place of `evaluation`: this share of the rows, drawn by `seed`, is held out and not trained on. Of instructions the held-out
   * perplexity is that of the responses. Not with given ids, which are trained on as they come.
   */
  heldOut?: number;
  name?: string;
  /** Held-out text of the perplexities on the way; as in `lab.perplexity`. */
  evaluation?: CorpusRequest & { samples?: number };
  /** Steps between two of them; by default a tenth of all steps. */
  evaluateEvery?: number;
  /** Steps between two checkpoints; by default the state is stored about twice a minute, and when the training is paused. */
  checkpointEvery?: number;
}

export interface RetrainResult {
  /** The trained variant. */
  variant: VariantInfo;
  losses: TrainingStep[];
  /** Perplexity on held-out text by the WGSL engine, of the weights that were trained before they are rounded. */
  evaluations: HeldOut[];
}

/**
 * 'interrupted': the page was closed or the GPU lost, and it goes on from its checkpoint when `lab.resumeTraining` is called.
 * A training that is done, stopped or discarded is not in the list any more.
 */
export type TrainingPhase = 'waiting' | 'running' | 'paused' | 'interrupted' | 'failed';

/** A training of the open model that is under way, waits for its turn, or can go on. */
export interface TrainingInfo {
  /** Unique among the trainings of the stored model. */
  id: string;
  /** Id and name of the variant that is trained. */
  variant: string;
  variantName: string;
  /** Signal and progress aside, and without texts, token ids and instructions, which may be large. */
  request: Omit<RetrainRequest, keyof TaskOptions>;
  phase: TrainingPhase;
  /** Steps made, and in all. */
  step: number;
  steps: number;
  /** At most 500 points of each curve: the first, the newest, and evenly spaced ones between. */
  losses: TrainingStep[];
  evaluations: HeldOut[];
  /** Predicted tokens a second over the last steps, evaluations aside; null before the first step. */
  tokensPerSecond: number | null;
  /** Until the last step; null before the first one. */
  secondsLeft: number | null;
  /** Steps that the stored checkpoint holds; null without one. */
  checkpoint: number | null;
  /**
   * Why it failed: its last checkpoint is kept. Of a training that runs: why no newer checkpoint could be stored, e.g. 'quota'; it goes on.
   */
  failure: Failure | null;
}

/** What a training would take of GPU memory beside its activations, bytes, the way it would run. */
export interface TrainingMemory {
  parameters: number;
  /** Parameters that are trained. */
  trained: number;
  weights: number;
  gradients: number;
  /** Those on the GPU; moments that do not fit wait in the worker's memory and pass through. */
  moments: number;
  /** The base's weights beside the variant's own: distillation needs all that fit, the others none but embedding and head. */
  teacher: number;
  total: number;
  /** What there is for all this: three quarters of `lab.limitMemory`; null without a limit. */
  limit: number | null;
  /** Whether blocks are updated one at a time, with their moments outside of the GPU. */
  blockByBlock: boolean;
}
