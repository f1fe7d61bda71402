import { expect, test } from 'vitest';
import { classOf, parseTuned, type TileTrial, type TunedClass, winner } from './matmulClasses';

const sizes = { rows: 512, inner: 2048, cols: 5632 };
const trial = (tile: TileTrial['tile'], milliseconds: number | null, refused: string | null = null): TileTrial => ({
  tile,
  milliseconds,
  refused,
});
const trials = [trial('4x8', 2), trial('16x8', 1.5), trial('any', null), trial('subgroup', null, 'departs')];
const tuned: TunedClass = {
  ...classOf({ operation: 'linear', dtype: 'F16', ...sizes, byFour: true }),
  tile: '16x8',
  fallback: '4x8',
  trials,
  sizes,
  timing: 'timestamps',
};

test('the fastest tile wins, but the static choice where the difference may be chance', () => {
  expect(winner(trials, '4x8')).toBe('16x8');
  expect(winner([trial('4x8', 2), trial('16x8', 1.95)], '4x8')).toBe('4x8');
  expect(winner([trial('4x8', 2), trial('16x8', 1.93)], '4x8')).toBe('16x8');
  expect(winner([trial('4x8', null), trial('16x8', 9)], '4x8')).toBe('16x8');
  expect(winner([trial('16x8', null)], '4x8')).toBe('4x8');
});

test('what was measured comes back from storage as it was', () => {
  expect(parseTuned(structuredClone([tuned]))).toEqual({ classes: [tuned], note: null });
  expect(parseTuned([])).toEqual({ classes: [], note: null });
});

test.each([
  ['no list', { classes: [] }, 'the list: '],
  ['a tile that nobody knows', [{ ...tuned, tile: '32x32' }], '0.tile: '],
  ['an operation that nobody knows', [tuned, { ...tuned, operation: 'conv' }], '1.operation: '],
  ['a time that is no number', [{ ...tuned, trials: [{ ...trials[0], milliseconds: Number.NaN }] }], 'milliseconds: '],
  ['a missing field', [{ ...tuned, sizes: undefined }], '0.sizes'],
  ['a winner that was refused', [{ ...tuned, tile: 'subgroup' }], 'linear F16 11 12 4 true: '],
])('from storage, %s: nothing is used, and a note says where', (_, value, where) => {
  const { classes, note } = parseTuned(value);
  expect(classes).toEqual([]);
  expect(note).toContain('are not used: ');
  expect(note).toContain(where);
});
