import { expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import type { WeightSource } from '../../model/weights';
import { columnSumsOnCpu } from '../width/magnitudeSp';
import { magnitudesOnCpu } from './magnitude';

const shape = {
  hidden: 2,
  layers: [0, 1].map((source) => ({ source, heads: 0, kvHeads: 0, headDim: 2, ffn: 3 })),
} as unknown as ModelShape;

/** Two MLPs of ones, but for one value of block 1. */
function weightsWith(role: string, index: number, value: number): WeightSource {
  const sizes: Record<string, number[]> = { mlpNorm: [2], gateProj: [3, 2], upProj: [3, 2], downProj: [2, 3] };
  return {
    layerTensor(of, source) {
      const dims = sizes[of]!;
      return {
        name: `layers.${source}.${of}`,
        dtype: 'F32',
        dims,
        file: `${of} ${source}`,
        begin: 0,
        end: dims.reduce((a, b) => a * b, 4),
      };
    },
    modelTensor: () => {
      throw new RangeError('no weight outside the blocks counts');
    },
    async read({ name, begin, end }) {
      const values = new Float32Array((end - begin) / 4).fill(-1);
      if (name === `layers.1.${role}`) values[index] = value;
      return new Uint8Array(values.buffer);
    },
    file: async () => new Blob(),
  };
}

test('Σ|W| without a GPU', async () => {
  expect(await magnitudesOnCpu({ shape, weights: weightsWith('upProj', 1, 5) })).toEqual([20, 24]);
});

test('a value that is not finite is refused by name, not summed', async () => {
  await expect(
    magnitudesOnCpu({ shape, weights: weightsWith('gateProj', 4, Number.NEGATIVE_INFINITY) }),
  ).rejects.toMatchObject({
    code: 'non-finite',
    message: expect.stringContaining('layers.1.gateProj[4] = -Infinity: 1 of its 6 values is not finite'),
  });
  await expect(columnSumsOnCpu({ shape, weights: weightsWith('downProj', 2, Number.NaN) })).rejects.toMatchObject({
    code: 'non-finite',
    message: expect.stringContaining('layers.1.downProj[2] = NaN'),
  });
});
