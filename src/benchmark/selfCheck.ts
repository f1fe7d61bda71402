/** @file Before a number of one runtime is shown, another one must agree with it. */
import { LabError } from '../errors';
import type { ModelShape } from '../model/shape';
import type { TaskOptions } from '../task';
import { measurePerplexity, type TokenSequence } from './perplexity';
import type { OrtSession } from './session';

/** Shorter runs miss the known fault: attention on a device with subgroups of 4 is wrong from 32 rows on. */
export const selfCheckRows = 33;

/** Tokens of a check, unless a sliding window needs more. */
const plainTokens = 40;
/** Windows up to here are checked beyond their end; a longer check would take longer than most measurements. */
const longestWindow = 1024;

/**
 * Tokens for a self-check of `shape`: more than the known fault needs, and more than sliding windows hold, because
 * attention on WebGPU takes another path where a window hides something.
 */
export function selfCheckTokens({ layers, maxPositions }: ModelShape): number {
  const sequences = layers.flatMap(({ heads, window }) =>
    heads > 0 && window !== undefined && window <= longestWindow ? [window] : [],
  );
  return Math.min(maxPositions, Math.max(plainTokens, ...sequences.map((window) => window + 8)));
}

const defaultTolerance = 1e-3;

/** Throws unless the mean NLL of every sequence agrees with the reference to `tolerance` nats. */
export function checkNll(
  measured: readonly number[],
  reference: readonly number[],
  { runtime, tolerance = defaultTolerance }: { runtime: string; tolerance?: number | undefined },
): void {
  if (measured.length === reference.length) {
    const wrong = measured.findIndex((nll, i) => !(Math.abs(nll - reference[i]!) <= tolerance));
    if (wrong < 0) return;
    throw new LabError(
      'self-check',
      `${runtime}: mean NLL of sequence ${wrong}: expected ${reference[wrong]} (WGSL engine), got ${measured[wrong]} (tolerance ${tolerance}).`,
      'The lab shows no numbers of this runtime. Use another one, or update the browser and the GPU driver.',
    );
  }
  throw new LabError(
    'internal',
    `Self-check: expected ${reference.length} sequences, got ${measured.length}.`,
    'Please report this bug.',
  );
}

/**
 * Runs `sequences` (at least one of them longer than 32 tokens) and compares each mean NLL with that of another
 * runtime.
 */
export async function selfCheck(
  session: OrtSession,
  sequences: readonly TokenSequence[],
  reference: readonly number[],
  { tolerance, ...task }: TaskOptions & { tolerance?: number | undefined } = {},
): Promise<void> {
  if (!sequences.some((sequence) => sequence.length >= selfCheckRows)) {
    throw new LabError(
      'bad-argument',
      `Self-check: expected a sequence of at least ${selfCheckRows} tokens, got none.`,
      'Use longer sequences.',
    );
  }
  const { sequenceNll: windowNll } = await measurePerplexity(session, sequences, task);
  checkNll(windowNll, reference, { runtime: session.device.runtime, tolerance });
}
