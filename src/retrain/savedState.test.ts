/** @file The state of a training in pieces: every value comes back from its place, and what is damaged is refused. */
import { expect, test } from 'vitest';
import type { StateKind, StatePart } from '../engine/train/state';
import { type StateIndex, StateWriter, savedState } from './savedState';

const part = (key: string, kind: StateKind, count: number, first: number, values: number[]): StatePart => ({
  ...{ key, kind, count, first },
  values: Float32Array.from(values),
});

/** Two tensors, one in parts that do not follow each other, in pieces of four values. */
async function written(weightsOnly = false): Promise<{ index: StateIndex; pieces: Blob[] }> {
  const pieces: Blob[] = [];
  const writer = new StateWriter(async (piece) => void pieces.push(piece), 4, weightsOnly);
  await writer.add(part('a', 'weight', 5, 0, [1, 2, 3]));
  await writer.add(part('a', 'first', 5, 0, [10, 20, 30, 40, 50]));
  await writer.add(part('a', 'weight', 5, 3, [4, 5]));
  await writer.add(part('b', 'weight', 1, 0, [7]));
  return { index: await writer.end(12), pieces };
}

test('values come back by tensor and kind, whatever pieces they lie in', async () => {
  const { index, pieces } = await written();
  expect(pieces.map(({ size }) => size)).toEqual([16, 16, 12]);
  const state = savedState(index, async (number) => pieces[number] ?? null);
  expect(state.steps).toBe(12);
  expect([...(await state.read('a', 'weight', 0, 5))]).toEqual([1, 2, 3, 4, 5]);
  expect([...(await state.read('a', 'weight', 2, 2))]).toEqual([3, 4]);
  expect([...(await state.read('a', 'first', 1, 4))]).toEqual([20, 30, 40, 50]);
  expect([...(await state.read('b', 'weight', 0, 1))]).toEqual([7]);
});

test('what is missing, cut short or no number is refused', async () => {
  const { index, pieces } = await written();
  const state = savedState(index, async (number) => pieces[number] ?? null);
  await expect(state.read('c', 'weight', 0, 1)).rejects.toMatchObject({ code: 'bad-weights' });
  await expect(state.read('b', 'second', 0, 1)).rejects.toMatchObject({ code: 'bad-weights' });
  const short = savedState(index, async (number) => (number === 1 ? pieces[1]!.slice(0, 8) : pieces[number]!));
  await expect(short.read('a', 'first', 0, 5)).rejects.toMatchObject({ message: expect.stringContaining('8 of 16') });
  const gone = savedState(index, async () => null);
  await expect(gone.read('b', 'weight', 0, 1)).rejects.toMatchObject({ code: 'bad-weights' });
  const nan = new Blob([Float32Array.of(1, Number.NaN, 3, 4)]);
  const wrong = savedState(index, async (number) => (number === 0 ? nan : pieces[number]!));
  await expect(wrong.read('a', 'weight', 0, 3)).rejects.toMatchObject({ code: 'non-finite' });
  const writer = new StateWriter(async () => undefined, 4);
  const infinite = part('a', 'second', 1, 0, [Number.POSITIVE_INFINITY]);
  await expect(writer.add(infinite)).rejects.toMatchObject({ code: 'non-finite' });
});

test('weights without moments: a trainer that starts from them has moments of zero', async () => {
  const { index, pieces } = await written(true);
  const state = savedState(index, async (number) => pieces[number] ?? null);
  expect(index.elements).toBe(6);
  expect([...(await state.read('a', 'weight', 0, 5))]).toEqual([1, 2, 3, 4, 5]);
  expect([...(await state.read('a', 'first', 0, 5))]).toEqual([0, 0, 0, 0, 0]);
});
