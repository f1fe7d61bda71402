/** @file What `lab.retrain` takes and gives. */
import type { RetrainMethod } from '../../pruning/variant';
import type { Schedule } from '../../retrain/schedule';
import type { HeldOut, TrainingStep } from '../../retrain/train';
import type { TaskOptions } from '../../task';
import type { CorpusRequest } from './corpusRequest';
import type { VariantInfo } from './variantInfo';

/** Rows of tokens to train on: given ids in their order, a text, or a corpus by its name; the built-in corpus unless told. */
export interface RetrainRequest extends CorpusRequest, TaskOptions {
  /** 'full' trains all weights. The others are not there yet. */
  method: RetrainMethod | 'lora' | 'full+lora' | 'distill';
  steps: number;
  /** Rows of a step. */
  batch: number;
  learningRate: number;
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
  name?: string;
  /** Held-out text of the perplexities on the way; as in `lab.perplexity`. */
  evaluation?: CorpusRequest & { samples?: number };
  /** Steps between two of them; by default a tenth of all steps. */
  evaluateEvery?: number;
}

export interface RetrainResult {
  /** The trained variant. */
  variant: VariantInfo;
  losses: TrainingStep[];
  /** Perplexity on held-out text by the WGSL engine, of the float32 weights that were trained. */
  evaluations: HeldOut[];
}
