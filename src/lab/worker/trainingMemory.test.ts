/** @file The arithmetic of trainings' memory, on a shape whose bytes are counted here by hand. */
import { expect, test } from 'vitest';
import { block, syntheticWeights, tinyShape } from '../../engine/testing/testWeights';
import type { LabError } from '../../errors';
import { modelParameters } from '../../model/count';
import { outOfMemory, refuseForMemory, trainingMemory } from './trainingMemory';

const shape = { ...tinyShape([0, 1, 2, 3].map((source) => block(source))), tiedHead: false };
const weights = syntheticWeights(shape);
const base = { shape, weights };
const cut = { shape: { ...shape, layers: shape.layers.slice(1) }, weights };
/** Elements: q and o 32 × 32, k and v 16 × 32, gate, up and down 44 × 32, two norms. */
const matrices = 2 * 32 * 32 + 2 * 16 * 32 + 3 * 44 * 32;
const inBlock = matrices + 2 * 32;
const table = 67 * 32;
const parameters = 3 * inBlock + 2 * table + 32;
/** The base's embedding, head and norm, stored as F16; the norm lies on the GPU as float32. */
const baseTables = 2 * (2 * table) + 4 * 32;
const unlimited = { bindingBytes: null, budgetBytes: null };
const within = (bytes: number) => ({ bindingBytes: null, budgetBytes: Math.ceil(bytes / 0.75) });

test('full training: weight, gradient and two moments in float32, and what stays of the base', () => {
  expect(modelParameters(cut.shape)).toBe(parameters);
  expect(trainingMemory(cut, base, { method: 'full' }, unlimited)).toEqual({
    ...{ parameters, trained: parameters, limit: null, blockByBlock: false },
    ...{ weights: 4 * parameters, gradients: 4 * parameters, moments: 8 * parameters, teacher: baseTables },
    total: 16 * parameters + baseTables,
  });
  expect(trainingMemory(cut, base, { method: 'full+lora' }, unlimited).total).toBe(16 * parameters + baseTables);
});

test('distillation also holds the base, as it is stored', () => {
  const { teacher, total } = trainingMemory(cut, base, { method: 'distill' }, unlimited);
  expect(teacher).toBe(baseTables + 4 * (2 * matrices + 4 * 2 * 32));
  expect(total).toBe(16 * parameters + teacher);
});

test('low-rank factors beside weights as they are stored; embedding and head are the base’s', () => {
  const inputsAndOutputs = 2 * (32 + 32) + 2 * (16 + 32) + 3 * (44 + 32);
  const trained = 3 * 4 * inputsAndOutputs;
  expect(trainingMemory(cut, base, { method: 'lora', rank: 4 }, unlimited)).toEqual({
    ...{ parameters, trained, limit: null, blockByBlock: false },
    ...{ weights: 3 * (2 * matrices + 4 * 2 * 32) + baseTables, teacher: 0 },
    ...{ gradients: 4 * trained, moments: 8 * trained },
    total: 3 * (2 * matrices + 4 * 2 * 32) + baseTables + 12 * trained,
  });
  const some = trainingMemory(cut, base, { method: 'lora', rank: 4, targets: ['qProj', 'vProj'] }, unlimited);
  expect(some.trained).toBe(3 * 4 * (32 + 32 + 16 + 32));
});

test('a limit: moments outside of the GPU, then block by block', () => {
  const all = 16 * parameters + baseTables;
  expect(trainingMemory(cut, base, { method: 'full' }, within(all))).toMatchObject({ total: all, blockByBlock: false });
  const short = trainingMemory(cut, base, { method: 'full' }, within(all - 4 * inBlock));
  expect(short.total).toBeLessThanOrEqual(short.limit!);
  const passing = 3 * 8 * table;
  const least = 4 * (2 * table + 32) + 4 * 2 * inBlock + 4 * Math.max(inBlock, 2 * table + 32) + passing + baseTables;
  const tight = trainingMemory(cut, base, { method: 'full' }, within(least));
  expect(tight).toMatchObject({ total: least, blockByBlock: true });
  expect(() => refuseForMemory(cut, base, { method: 'full' }, within(least))).not.toThrow();
});

test('too large even block by block: the arithmetic, and what would fit', () => {
  const wide = (source: number) => block(source, { headDim: 64, ffn: 1024 });
  const model = { ...shape, hidden: 256, layers: [0, 1, 2].map(wide) };
  const view = { shape: model, weights: syntheticWeights(model) };
  const refused = (method: 'full' | 'lora', bytes: number): LabError => {
    try {
      refuseForMemory(view, view, { method }, within(bytes));
    } catch (thrown) {
      return thrown as LabError;
    }
    throw new Error('it was not refused');
  };
  const stored = 2 * (2 * 256 * 256 + 2 * 128 * 256 + 3 * 1024 * 256) + 4 * 2 * 256;
  const factors = 3 * 8 * (2 * 512 + 2 * 384 + 3 * 1280);
  const lora = 2 * stored + 2 * 2 * 67 * 256 + 4 * 256 + 12 * factors;
  const full = refused('full', 2 * lora);
  expect(full).toMatchObject({ code: 'unsupported-limit' });
  expect(full.message).toContain(`(two blocks)`);
  expect(full.remedy).toContain(`rank 8) need ${lora} bytes and fit`);
  expect(refused('full', lora - 1).remedy).not.toContain('fit.');
  expect(refused('lora', lora - 1).message).toContain(`= ${lora} bytes`);
  const binding = () =>
    refuseForMemory(cut, base, { method: 'full' }, { bindingBytes: 4 * 2 * 44 * 32 - 1, budgetBytes: null });
  expect(binding).toThrow(`takes ${4 * 2 * 44 * 32} bytes in one buffer (float32)`);
});

test('a GPU that is full in the middle is told with the arithmetic', () => {
  const full = Object.assign(new Error('x: GPU memory is full.'), { code: 'out-of-memory' }) as LabError;
  const { message } = outOfMemory(full, trainingMemory(cut, base, { method: 'full' }, unlimited));
  expect(message).toContain(`${parameters} weights takes about ${16 * parameters + baseTables} bytes`);
});
