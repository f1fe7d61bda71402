/** @file Engines of variants in the worker: beside the base's, after a change of the memory limit, and after a lost device. */
import 'fake-indexeddb/auto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { testGpu } from '../../engine/testing/harness';
import { block, randomModel, tinyShape } from '../../engine/testing/testWeights';
import type { ModelView } from '../../model/view';
import type { TensorRef } from '../../model/weights';
import { Gpu } from './gpu';

beforeAll(async () => {
  vi.stubGlobal('navigator', { gpu: await testGpu() });
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});
afterAll(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const shape = tinyShape([0, 1, 2].map((source) => block(source)));
const { weights } = randomModel(shape, 'F16');
const other = randomModel(shape, 'F16', 2).weights;
const own = (ref: TensorRef): TensorRef => ({ ...ref, file: 'patch' });
/** The base's shape, with an MLP of its own in block 1. */
const variant: ModelView = {
  id: 'variant',
  shape,
  weights: {
    ...weights,
    layerTensor: (role, source) =>
      role === 'upProj' && source === 1 ? own(other.layerTensor(role, source)) : weights.layerTensor(role, source),
    read: (ref) => (ref.file === 'patch' ? other.read(ref) : weights.read(ref)),
  },
};
const sequences = [[1, 5, 9, 13, 17, 21]];

test('a variant has an engine of its own beside the base, also after limits, losses and its end', async () => {
  const gpu = new Gpu();
  // A tile that compiles quickly: two devices compile it here.
  gpu.configure({ kernel: '4x8' });
  gpu.use({ info: { shape }, weights });
  const engineOf = async (view?: ModelView) => (await gpu.engine({}, view))!.engine;
  const scoreOf = async (view?: ModelView) => (await engineOf(view)).score(shape.layers, sequences);
  const [base, changed] = [await scoreOf(), await scoreOf(variant)];
  expect(changed.sumNll[0]).not.toBe(base.sumNll[0]);
  const [engine, sharing] = [await engineOf(), await engineOf(variant)];
  expect(await engineOf({ ...variant })).toBe(sharing);
  expect(engine.memory().blocks).toMatchObject({ blocks: 4, slots: 4 });

  await gpu.close(variant);
  expect(engine.memory().blocks.blocks).toBe(3);
  expect([await scoreOf(variant), await scoreOf()]).toEqual([changed, base]);

  gpu.limitMemory(1);
  expect([await scoreOf(variant), await scoreOf()]).toEqual([changed, base]);
  expect((await engineOf()).memory().blocks).toMatchObject({ blocks: 4, slots: 2 });

  const { device, lost } = (await gpu.context())!;
  device.destroy();
  await lost;
  expect([await scoreOf(variant), await scoreOf()]).toEqual([changed, base]);

  // Another model takes the place of this one: its variants may have the same ids.
  gpu.use({ info: { shape }, weights: { ...other, layerTensor: (...at) => own(other.layerTensor(...at)) } });
  const again = await scoreOf({ id: 'variant', shape, weights: other });
  expect(again.sumNll[0]).not.toBe(changed.sumNll[0]);
  (await engineOf()).dispose();
});
