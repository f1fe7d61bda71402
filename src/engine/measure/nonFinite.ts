/**
 * @file A result that is not finite is no result. The kernels let NaN and infinities pass rather than make numbers of them
 * (`shaders/common/finite.wgsl`); here a task that ended with one says where in the model they came up.
 */

import { LabError } from '../../errors';
import type { LayerShape } from '../../model/shape';
import type { TokenSequences } from '../../numerics/tokens';
import { type EngineParts, embedBatch } from '../pass/runtime';
import { makeBatches } from '../pass/sequences';

/** Windows that are looked through for the place: each is a pass that reads every state back. */
const mostSequences = 16;

/** A result's numbers; where all have to be finite, or where one that is not speaks of one variant only. */
export interface Outcome {
  readonly numbers: Iterable<number>;
  readonly need: 'all' | 'any';
  /** Each number is that of a window: those whose is broken are looked through first. */
  readonly bySequence?: boolean;
}

/** Whether a task's numbers may be given. */
export function isUsable({ numbers, need }: Outcome): boolean {
  let any = false;
  for (const number of numbers) {
    if (Number.isFinite(number)) any = true;
    else if (need === 'all') return false;
  }
  return any || need === 'all';
}

/** Where a state of the model is not finite for the first time, in words; null where all that were looked at are. */
export async function findNonFinite(
  parts: EngineParts,
  layers: readonly LayerShape[],
  sequences: TokenSequences,
): Promise<string | null> {
  const { buffers, forward, shape, queue } = parts;
  const { hidden } = shape;
  for (const sequence of sequences.slice(0, mostSequences)) {
    const rows = sequence.length;
    const [batch] = makeBatches([sequence], rows);
    const buffer = await buffers.acquire(rows * hidden * 4, 'hidden');
    const look = async (place: string): Promise<string | null> => {
      const bits = new Uint32Array(await queue.read(buffer, rows * hidden * 4));
      const at = bits.findIndex((word) => (word & 0x7f800000) === 0x7f800000);
      if (at < 0) return null;
      const value = new Float32Array(bits.buffer)[at];
      return `${place} is ${value} (token ${Math.floor(at / hidden)} of its window, channel ${at % hidden})`;
    };
    forward.follow(layers);
    await embedBatch(parts, batch!, buffer);
    let found = await look('an embedded token');
    const state = { buffer, first: 0, count: rows };
    for (const layer of layers) {
      if (found !== null) break;
      if (layer.heads > 0) await forward.attention(layer, state, rows);
      found = await look(`the state behind the attention of block ${layer.source}`);
      if (found !== null) break;
      if (layer.ffn > 0) await forward.mlp(layer, state);
      found = await look(`the state behind the MLP of block ${layer.source}`);
    }
    buffers.release(buffer);
    if (found !== null) return found;
  }
  return null;
}

/** The measurement: for the message, and to find the place. */
interface Measured {
  readonly what: string;
  readonly layers: readonly LayerShape[];
  /** Null where no tokens passed. */
  readonly sequences: TokenSequences | null;
}

const brokenFirst = (sequences: TokenSequences, numbers: readonly number[]) => [
  ...sequences.filter((_, index) => !Number.isFinite(numbers[index])),
  ...sequences.filter((_, index) => Number.isFinite(numbers[index])),
];

const nowhere = (sequences: number): string =>
  `every state between the blocks is finite${sequences > mostSequences ? ` in ${mostSequences} of the ${sequences} windows` : ''}, so that it left the range of float32 ${sequences > mostSequences ? 'in another or ' : ''}behind them`;

/** The result, if its numbers may be given; else rejects with 'non-finite', which says where in the model it comes from. */
export async function orSayWhere<T>(
  parts: EngineParts,
  { what, layers, sequences }: Measured,
  result: Promise<T>,
  outcome: (result: T) => Outcome,
): Promise<T> {
  const measured = await result;
  const found = outcome(measured);
  if (isUsable(found)) return measured;
  const suspects = found.bySequence ? brokenFirst(sequences ?? [], [...found.numbers]) : sequences;
  const place =
    suspects === null
      ? 'its sums leave the range of float32'
      : ((await findNonFinite(parts, layers, suspects)) ?? nowhere(suspects.length));
  throw new LabError(
    'non-finite',
    `${what}: the result is not a finite number: ${place}.`,
    'No number is given. Is the checkpoint whole, and does the model compute in float32? A variant without that block may work.',
  );
}
