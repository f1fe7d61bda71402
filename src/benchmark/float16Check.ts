/** @file Whether a session in f16 may show its numbers: its likelihood of real text against that of exact arithmetic. */
import { LabError } from '../errors';
import type { TaskOptions } from '../task';
import { measurePerplexity, type TokenSequence } from './perplexity';
import { selfCheckRows } from './selfCheck';
import type { OrtSession } from './session';

/** Nats per token in each sequence: 0.1 % of a perplexity, less than any plan is chosen by. */
export const float16Tolerance = 1e-3;

const mostSequences = 4;
const mostTokens = 512;

/** The sequences of a text to check on: the first few that are long enough, cut where they are long. */
export function sequencesToCheck(sequences: readonly TokenSequence[]): number[][] {
  const long = sequences.filter(({ length }) => length >= selfCheckRows).slice(0, mostSequences);
  if (long.length > 0) return long.map((sequence) => sequence.slice(0, mostTokens));
  throw new LabError(
    'bad-argument',
    `precision 'f16' is checked on real text: expected a sequence of at least ${selfCheckRows} tokens, got none.`,
    'Calibrate or evaluate on longer sequences.',
  );
}

/** `reference`: the mean NLL of each sequence in exact arithmetic. Throws 'self-check' with the largest departure. */
export async function checkFloat16(
  session: OrtSession,
  sequences: readonly TokenSequence[],
  reference: readonly number[],
  task: TaskOptions,
): Promise<void> {
  const { sequenceNll } = await measurePerplexity(session, sequences, task);
  const departures = sequenceNll.map((nll, sequence) => Math.abs(nll - reference[sequence]!));
  if (departures.every((departure) => departure <= float16Tolerance)) return;
  const largest = departures.reduce((top, one) => Math.max(top, one));
  throw new LabError(
    'self-check',
    `In f16 the mean NLL of real text differs from float32 by ${largest.toPrecision(2)} nats per token (tolerance ${float16Tolerance}), so the f16 numbers of this model are not shown.`,
    'Benchmark without f16.',
  );
}
