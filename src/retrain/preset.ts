/**
 * @file The preset experiment: the paper's finding on the demo model. At a mild ratio LoRA suffices; at a severe one continued
 * pretraining wins. Rows are those of the built-in calibration text; perplexities are those of the built-in held-out text.
 *
 * Measured by the laboratory itself (32 held-out sequences of 128 tokens, base 1.843; `lab/worker/preset.gpu.test.ts`):
 *
 * | blocks removed | pruned | LoRA | continued pretraining |
 * |---|---|---|---|
 * | 3 of 12 (23 % of the parameters) | 2.030 | 1.861 | 1.913 |
 * | 7 of 12 (53 %) | 11.88 | 2.386 | 2.202 |
 *
 * A search and trainings in PyTorch with the same settings gave 2.121, 1.869, 1.910 and 11.89, 2.356, 2.186.
 *
 * Other rates for the severe cut: LoRA 2.522 at 0.003 and 2.301 at 0.01, continued pretraining 2.196 at 0.0015 and 2.351 at 0.003.
 */
import type { RetrainMethod, Schedule } from '../pruning/variant';

export interface PresetCut {
  readonly name: 'mild' | 'severe';
  /** Blocks that the search removes, one after the other. */
  readonly count: number;
  /** Share of the parameters that they are. */
  readonly ratio: number;
}

export interface PresetTraining {
  readonly method: RetrainMethod;
  readonly learningRate: number;
  /** Of 'full+lora': of the factors' part. */
  readonly loraLearningRate?: number;
}

export interface PresetExperiment {
  readonly model: 'demo';
  readonly criterion: 'sleb';
  readonly cuts: readonly PresetCut[];
  /** Each trains every cut. */
  readonly trainings: readonly PresetTraining[];
  /** The same for all trainings. */
  readonly setting: {
    readonly steps: number;
    readonly batch: number;
    readonly seqLen: number;
    readonly warmup: number;
    readonly schedule: Schedule;
    readonly rank: number;
    readonly alpha: number;
    readonly seed: number;
  };
  /** Held-out sequences of the perplexities. */
  readonly evaluation: { readonly corpus: string; readonly seqLen: number; readonly samples: number };
}

export const presetExperiment: PresetExperiment = {
  model: 'demo',
  criterion: 'sleb',
  cuts: [
    { name: 'mild', count: 3, ratio: 0.227 },
    { name: 'severe', count: 7, ratio: 0.529 },
  ],
  trainings: [
    { method: 'lora', learningRate: 5e-3 },
    { method: 'full', learningRate: 1e-3 },
    { method: 'full+lora', learningRate: 1e-3, loraLearningRate: 5e-3 },
  ],
  setting: { steps: 60, batch: 4, seqLen: 128, warmup: 5, schedule: 'cosine', rank: 8, alpha: 16, seed: 1 },
  evaluation: { corpus: 'evaluation', seqLen: 128, samples: 32 },
};
