/** @file What tuning a model does with classes that fail, with the time that it may take, and with what is known. */
import { expect, test } from 'vitest';
import { abortedError, LabError } from '../../errors';
import { KernelChoice } from '../kernels/kernelChoice';
import { classOf, type Matmul, type TunedClass } from '../kernels/matmulClasses';
import { tuneModel } from './tuner';

const matmuls = [128, 512, 2048].map(
  (rows): Matmul => ({ operation: 'linear', dtype: 'F16', rows, inner: 64, cols: 64, byFour: true }),
);
const measure = (matmul: Matmul): TunedClass => ({
  ...classOf(matmul),
  tile: '16x8',
  fallback: '4x8',
  trials: [{ tile: '16x8', milliseconds: 1, refused: null }],
  sizes: { rows: matmul.rows, inner: matmul.inner, cols: matmul.cols },
  timing: 'timestamps',
});
const choiceOn = (): KernelChoice => new KernelChoice({ largeTiles: false, features: [] });
const noRoom = new LabError('out-of-memory', 'no room', 'Close other tabs.');

test('a class without room is left out, and the others are measured', async () => {
  const choice = choiceOn();
  const { measured, left } = await tuneModel({ choice }, matmuls, {}, async (matmul) => {
    if (matmul.rows === 512) throw noRoom;
    return measure(matmul);
  });
  expect(measured.map(({ sizes }) => sizes.rows)).toEqual([128, 2048]);
  expect(left).toBe(1);
  expect(choice.tile('linear', { dtype: 'F16', rows: 512, inner: 64, cols: 64 })).toBe('4x8');
  expect(choice.tile('linear', { dtype: 'F16', rows: 2048, inner: 64, cols: 64 })).toBe('16x8');
});

test.each([abortedError(), new LabError('device-lost', 'gone', 'Again.'), new Error('a bug')])(
  'what else fails ends it: %s',
  async (failure) => {
    const choice = choiceOn();
    const tuning = tuneModel({ choice }, matmuls, {}, async (matmul) => {
      if (matmul.rows === 512) throw failure;
      return measure(matmul);
    });
    await expect(tuning).rejects.toBe(failure);
    expect(choice.tuned).toHaveLength(1);
  },
);

test('what is known is measured again only when asked, and only the operations that are asked for', async () => {
  const choice = choiceOn();
  choice.adopt([measure(matmuls[1]!)]);
  const turns = async (options: Parameters<typeof tuneModel>[2]): Promise<number[]> => {
    const { measured } = await tuneModel({ choice }, matmuls, options, async (matmul) => measure(matmul));
    return measured.map(({ sizes }) => sizes.rows);
  };
  expect(await turns({ operations: ['swiglu'] })).toEqual([]);
  expect(await turns({})).toEqual([128, 2048]);
  expect(await turns({})).toEqual([]);
  expect(await turns({ force: true })).toEqual([128, 512, 2048]);
});
