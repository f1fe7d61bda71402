/** @file What a tokenizer's files may make of a text: bounds on growth, and the errors of what breaks them. */
import { LabError } from '../../errors';

/** Steps of a normalizer, pre-tokenizer, post-processor or decoder, nested ones included. */
export const maxSteps = 64;
/** Characters of a pattern, a replacement or another parameter. */
export const maxParameter = 2 ** 14;
/** Characters that a text may have grown to behind any step: some compatibility forms are 18 times as long. */
const maxGrowth = 32;
const spare = 2 ** 16;

/** Hears how far the work on a text is; may throw to end it. `done` of `total` characters. */
export type Heard = (done: number, total: number) => void;

export function badTokenizer(
  what: string,
  remedy = 'Use the file as saved by transformers.',
  cause?: unknown,
): LabError {
  return new LabError('bad-tokenizer', `${what}.`, remedy, { cause });
}

/** Bound on what becomes of `length` characters. */
export function growthLimit(length: number): number {
  return maxGrowth * length + spare;
}

/** What the work at hand says while it goes on. A text is worked on without a pause, so that there is one at a time. */
let pulse = (): void => undefined;

/** A sign of life from within long loops: call it every few thousand steps. It may throw to end the work. */
export function beat(): void {
  pulse();
}

/** `work`, during which `beat` calls `said`. */
export function withPulse<T>(said: () => void, work: () => T): T {
  const before = pulse;
  pulse = said;
  try {
    return work();
  } finally {
    pulse = before;
  }
}

/** @throws LabError 'bad-tokenizer' */
export function checkGrowth(length: number, limit: number, step: string): void {
  if (length <= limit) return;
  throw badTokenizer(
    `tokenizer.json: ${step} makes the text longer than ${limit} characters, ${maxGrowth} times its original length`,
    'Use the tokenizer file of this model.',
  );
}
