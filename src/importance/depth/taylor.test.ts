import { expect, test } from 'vitest';
import type { TaylorLayer } from '../../engine/measure/taylor';
import type { Probe, Setting } from '../method';
import taylor from './taylor';

const layer = (attention: number, mlp: number): TaylorLayer => ({
  attention,
  mlp,
  total: attention + mlp,
  roles: {},
  gradientNorms: {},
});

test.each([
  ['block', [7, 3]],
  ['attention', [5, 0]],
  ['mlp', [2, 3]],
] as const)('the score of each %s is its share of the saliences', async (unit, expected) => {
  const asked: unknown[] = [];
  const probe = {
    taylor: async (sequences: unknown) => {
      asked.push(sequences);
      return { layers: [layer(5, 2), layer(0, 3)], finalNormGradient: 1 };
    },
  } as unknown as Probe;
  const sequences = [[1, 2, 3]];
  expect(await taylor.score({ probe, sequences, unit } as unknown as Setting)).toEqual(expected);
  expect(asked).toEqual([sequences]);
});
