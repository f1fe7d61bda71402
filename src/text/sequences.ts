/** @file Sequences of token ids that come from outside, and a short name for sequences of any origin. */

import { LabError } from '../errors';
import { hashBytes } from '../io/hash';
import type { TokenSequences } from '../numerics/tokens';

const maxSequences = 100_000;
const maxTokens = 2 ** 26;

/**
 * Checks given sequences [n][length]: at least one, each of 2 to `maxLen` ids in [0, vocab). Throws 'bad-argument' that
 * names the first bad position.
 */
export function checkSequences(tokenIds: unknown, vocab: number, maxLen: number): number[][] {
  if (!Array.isArray(tokenIds)) throw bad(`expected a list of token sequences, got ${kindOf(tokenIds)}`);
  if (tokenIds.length === 0 || tokenIds.length > maxSequences) {
    throw bad(`expected 1 to ${maxSequences} sequences, got ${tokenIds.length}`);
  }
  let tokens = 0;
  return tokenIds.map((sequence: unknown, index) => {
    if (!Array.isArray(sequence)) throw bad(`sequence ${index}: expected a list of token ids, got ${kindOf(sequence)}`);
    if (sequence.length < 2 || sequence.length > maxLen) {
      throw bad(`sequence ${index}: expected 2 to ${maxLen} tokens, got ${sequence.length}`);
    }
    tokens += sequence.length;
    if (tokens > maxTokens) throw bad(`sequence ${index}: more than ${maxTokens} tokens in total`);
    return Array.from(sequence as unknown[], (id, position) => {
      if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocab) return id;
      const got = typeof id === 'number' ? String(id) : kindOf(id);
      throw bad(`sequence ${index}, position ${position}: expected a whole number in [0, ${vocab}), got ${got}`);
    });
  });
}

/** Hash of sequences, lengths included: 16 hexadecimal digits. */
export function hashSequences(sequences: TokenSequences): string {
  const words = new Uint32Array(sequences.reduce((sum, sequence) => sum + 1 + sequence.length, 0));
  let at = 0;
  for (const sequence of sequences) {
    words[at] = sequence.length;
    words.set(sequence, at + 1);
    at += 1 + sequence.length;
  }
  // Little-endian as everywhere on the web: the same sequences have the same name on every machine.
  return hashBytes(new Uint8Array(words.buffer));
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
}

function bad(what: string): LabError {
  return new LabError(
    'bad-argument',
    `tokenIds: ${what}.`,
    'Pass sequences as [[id, id, …], …] with token ids of this model.',
  );
}
