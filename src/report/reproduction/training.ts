/** @file From a recipe's step to the training that makes it again. Pure. */
import type { RetrainStep, TrainingSetting } from '../../pruning/variant';

/** The fields of a request of `lab.retrain`. */
export interface TrainingAgain extends Omit<TrainingSetting, 'stepsAsked'>, Pick<RetrainStep, 'method'> {
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly rank?: number;
  readonly alpha?: number;
  readonly dropout?: number;
  readonly targets?: NonNullable<RetrainStep['lora']>['targets'] & object;
  readonly loraSteps?: number;
  readonly temperature?: number;
  readonly weight?: number;
  readonly corpus?: string;
  readonly generated?: {
    readonly rows: number;
    readonly seqLen: number;
    readonly temperature: number;
    readonly topK?: number;
  };
  readonly samples?: number;
  readonly seqLen?: number;
  readonly addBosToEvery?: boolean;
  readonly heldOut?: number;
}

/** Texts of a training that a report holds only the hash of. */
const unknownTexts: Readonly<Record<string, string>> = {
  text: 'It was trained on a text of the author’s, and a report holds only its hash.',
  tokenIds: 'It was trained on given token ids, and a report holds only their hash.',
  instructions: 'It was trained on instruction pairs, and a report holds only their hash.',
};

/** The training of a step, or the reason why a report does not hold enough for it. */
export function trainingAgain(step: RetrainStep): { readonly request: TrainingAgain } | { readonly why: string } {
  const { method, steps, batch, learningRate, seed, lora, distill, setting, text } = step;
  const unknown = unknownTexts[text.corpus];
  if (text.source !== undefined) {
    return { why: `It was trained on instruction pairs of ${text.source}, which a report does not hold.` };
  }
  if (unknown !== undefined) return { why: unknown };
  if (setting === undefined) {
    return {
      why: 'An earlier version trained it, whose reports do not tell the whole setting (warm-up, schedule, clipping).',
    };
  }
  const { stepsAsked, ...given } = setting;
  if (stepsAsked !== undefined && ((setting.schedule ?? 'constant') !== 'constant' || method === 'full+lora')) {
    return {
      why: `It was stopped after ${steps} of ${stepsAsked} steps: the learning rates of its steps depend on all of them.`,
    };
  }
  const { steps: loraSteps, ...factors } = lora ?? {};
  return {
    request: {
      ...{ method, steps, batch, learningRate, seed, ...given, ...factors, ...distill },
      ...(loraSteps !== undefined && { loraSteps }),
      ...rowsOf(text),
    },
  };
}

/** The rows; their hash tells afterwards whether they are the same. */
function rowsOf({
  corpus,
  samples,
  seqLen,
  addBosToEvery,
  generated,
  heldOut,
}: RetrainStep['text']): Partial<TrainingAgain> {
  const split = heldOut === undefined ? {} : { heldOut };
  // A split took rows away from all that there were.
  const all = heldOut === undefined ? samples : Math.round(samples / (1 - heldOut));
  if (generated) return { generated: { rows: all, seqLen, ...generated }, ...split };
  const start = addBosToEvery ? { addBosToEvery } : {};
  return { corpus, samples: all, seqLen: addBosToEvery ? seqLen - 1 : seqLen, ...start, ...split };
}
