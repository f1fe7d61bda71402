/** @file The ways to retrain, in words. */
import type { RetrainMethod } from '../../pruning/variant';

export interface MethodWords {
  readonly id: RetrainMethod;
  readonly label: string;
  /** What is trained, and what it costs. */
  readonly meaning: string;
}

export const methodWords: readonly MethodWords[] = [
  {
    id: 'lora',
    label: 'LoRA',
    meaning:
      'Trains small factors beside each frozen matrix and merges them at the end. It takes the least memory, because the weights need no gradients.',
  },
  {
    id: 'full',
    label: 'Continued pretraining (CPT)',
    meaning:
      'Trains every weight. It repairs severe cuts, and takes 16 bytes of memory per parameter: weight, gradient and two moments.',
  },
  {
    id: 'full+lora',
    label: 'CPT, then LoRA',
    meaning:
      'Trains every weight for the first half of the steps, then low-rank factors. It takes as much memory as continued pretraining.',
  },
  {
    id: 'distill',
    label: 'Distillation',
    meaning:
      'Trains every weight towards the predictions of the original model, which runs on each batch too. It takes the most time and memory.',
  },
];

/** Names in charts and lists, short enough for a legend. */
export const shortMethod: Readonly<Record<RetrainMethod, string>> = {
  lora: 'LoRA',
  full: 'CPT',
  'full+lora': 'CPT⇒LoRA',
  distill: 'distilled',
};

export const trainsFactors = (method: RetrainMethod): boolean => method === 'lora' || method === 'full+lora';
