import { expect, test } from 'vitest';
import type { ProfileResult, TuningInfo } from '../../lab/contract/types';
import { gain, gains, operationGroups, shownKernels } from './kernelData';

type TunedClass = TuningInfo['classes'][number];

const tuned = (changes: Partial<TunedClass>): TunedClass => ({
  operation: 'linear',
  dtype: 'F16',
  inner: 7,
  cols: 7,
  rows: 3,
  byFour: true,
  tile: '16x8',
  fallback: '4x8',
  trials: [
    { tile: '4x8', milliseconds: 3, refused: null },
    { tile: '16x8', milliseconds: 2, refused: null },
  ],
  sizes: { rows: 128, inner: 128, cols: 128 },
  timing: 'timestamps',
  ...changes,
});

test('classes are grouped by operation, with what was chosen', () => {
  const groups = operationGroups([
    tuned({ operation: 'weightSalience', tile: '4x8' }),
    tuned({ tile: '4x8' }),
    tuned({}),
    tuned({ rows: 4, trials: [{ tile: 'any', milliseconds: 1, refused: null }] }),
  ]);
  expect(groups.map(({ operation, chosen }) => [operation, chosen])).toEqual([
    ['linear', '16x8 for 2 shapes, 4x8 for 1 shape'],
    ['weightSalience', '4x8 for 1 shape'],
  ]);
  expect(groups[0]!.tiles).toEqual(['4x8', '16x8', 'any']);
  expect(groups[0]!.classes).toHaveLength(3);
});

test('a gain is over the static choice', () => {
  expect(gain(tuned({}))).toBe(1.5);
  expect(gain(tuned({ tile: '4x8' }))).toBe(1);
  expect(gain(tuned({ trials: [{ tile: '16x8', milliseconds: 2, refused: null }] }))).toBeNull();
  expect(gains([tuned({ tile: '4x8' })])).toBeNull();
  expect(gains([tuned({}), tuned({ tile: '4x8' }), tuned({})])).toEqual({ faster: 2, most: 1.5 });
});

test('many kernels: the dearest, and the others as one whose share is theirs', () => {
  const kernels: ProfileResult['kernels'] = [0.5, 0.3, 0.1, 0.06, 0.04].map((share, index) => ({
    kernel: `k${index}`,
    launches: 2,
    milliseconds: 10 * share,
    share,
    flops: index === 4 ? null : 100,
    flopShare: index === 4 ? null : 0.25,
  }));
  expect(shownKernels(kernels, 5)).toEqual(kernels);
  const shown = shownKernels(kernels, 4);
  expect(shown.map(({ kernel }) => kernel)).toEqual(['k0', 'k1', 'k2', '2 others']);
  expect(shown[3]).toMatchObject({ launches: 4, flops: null, flopShare: null });
  expect(shown[3]!.share).toBeCloseTo(0.1, 10);
});
