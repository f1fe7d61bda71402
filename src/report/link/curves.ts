/** @file The curves of a training as places of a link: ascending steps by their gaps, numbers in columns. */
import type { TextInfo } from '../texts';
import type { TrainingCurves } from '../trainingCurves';
import { ascending, type Codec, column, figures, mapped, optional, tuple } from './codec';
import { evaluation } from './texts';

const mostPoints = 1000;
const digits = 4;
const numbers = figures(digits, mostPoints);

interface Written {
  readonly lossSteps: readonly number[];
  readonly losses: string;
  readonly heldOutSteps: readonly number[];
  readonly perplexities: string;
  readonly heldOut?: TextInfo;
}

const asIs: Codec<string> = { write: (value) => value, read: (json, from) => from.text(json) };

export const curves: Codec<TrainingCurves> = mapped(
  tuple<Written>({
    ...{ lossSteps: ascending, losses: asIs, heldOutSteps: ascending, perplexities: asIs },
    heldOut: optional(evaluation),
  }),
  ({ losses, evaluations, heldOut }, to) => ({
    lossSteps: losses.map(({ step }) => step),
    losses: numbers.write(
      losses.map(({ loss }) => loss),
      to,
    ) as string,
    heldOutSteps: evaluations.map(({ step }) => step),
    perplexities: numbers.write(
      evaluations.map(({ perplexity }) => perplexity),
      to,
    ) as string,
    ...(heldOut && { heldOut }),
  }),
  ({ lossSteps, losses, heldOutSteps, perplexities, heldOut }, from) => {
    const lossValues = column(numbers, losses, lossSteps.length, from);
    const heldOutValues = column(numbers, perplexities, heldOutSteps.length, from);
    return {
      losses: lossSteps.map((step, at) => ({ step, loss: lossValues[at]! })),
      evaluations: heldOutSteps.map((step, at) => ({ step, perplexity: heldOutValues[at]! })),
      ...(heldOut && { heldOut }),
    };
  },
);
