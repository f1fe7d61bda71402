/** @file Reads pairs of instruction and response: a JSON list, or JSON Lines. Pure. */

import { LabError, shown } from '../../errors';
import type { Failure } from '../../lab/contract/failure';
import { toFailure } from '../../lab/contract/failure';
import type { Instruction } from '../../lab/contract/retraining';

export type ReadPairs = { readonly pairs: readonly Instruction[] } | { readonly failure: Failure };

/** So many pairs are read; the rest is left out. */
export const mostPairs = 100_000;

export function readPairs(text: string): ReadPairs {
  try {
    return { pairs: entriesOf(text).slice(0, mostPairs).map(pairOf) };
  } catch (thrown) {
    return { failure: toFailure(thrown) };
  }
}

function entriesOf(text: string): unknown[] {
  const trimmed = text.trim();
  if (trimmed === '') return [];
  if (trimmed.startsWith('[')) return parsed(trimmed, 'The list') as unknown[];
  return trimmed.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [parsed(line, `Line ${index + 1}`)]));
}

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LabError('bad-argument', `${where} is no JSON: ${shown(text)}.`, remedy, { cause });
  }
}

function pairOf(entry: unknown, index: number): Instruction {
  const { instruction, input, output } = (entry ?? {}) as Partial<Record<keyof Instruction, unknown>>;
  const isText = (value: unknown): value is string => typeof value === 'string';
  if (!isText(instruction) || !isText(output) || !(input === undefined || isText(input))) {
    const got = shown(entry);
    throw new LabError(
      'bad-argument',
      `Pair ${index + 1}: expected texts “instruction” and “output”, got ${got}.`,
      remedy,
    );
  }
  return { instruction, ...(input !== undefined && input !== '' && { input }), output };
}

const remedy =
  'Give a JSON list or one JSON object a line, each with “instruction”, “output” and, where there is one, “input”.';
