/** @file Bytes that are read for a variant of fewer heads and neurons: at most those of the matrices that it changes, in pieces. */
import { expect, test } from 'vitest';
import { layerRoles, layerWeightDims, type ModelShape, modelWeightDims } from '../model/shape';
import type { TensorRef, WeightSource } from '../model/weights';
import { counting } from '../weights/testing/countingSource';
import { pruned } from './cuts';
import { planOfUnits } from './plan';

const shapeOf = (layers: number): ModelShape => ({
  family: 'llama',
  vocab: 64,
  hidden: 96,
  layers: Array.from({ length: layers }, (_, source) => ({ source, heads: 8, kvHeads: 4, headDim: 16, ffn: 160 })),
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedHead: true,
});

/** F16 weights that are zeros. */
function zeros(shape: ModelShape): WeightSource {
  const tensorOf = (name: string, dims: readonly number[]): TensorRef => {
    return { name, dtype: 'F16', dims, file: name, begin: 0, end: dims.reduce((a, b) => a * b, 2) };
  };
  return {
    layerTensor: (role, source) => tensorOf(`${role} ${source}`, layerWeightDims(shape, shape.layers[source]!, role)),
    modelTensor: (role) => tensorOf(role, modelWeightDims(shape, role)),
    read: async ({ begin, end }) => new Uint8Array(end - begin),
    file: async () => new Blob(),
  };
}

/** Reads every matrix of a variant that loses a quarter of each layer, as an upload does. */
async function readVariant(layers: number) {
  const shape = shapeOf(layers);
  const base = counting(zeros(shape));
  const heads = shape.layers.map(() => [0, 1, 4, 5, 6, 7]);
  const neurons = shape.layers.map(() => Array.from({ length: 160 }, (_, index) => index).filter((at) => at % 4 !== 1));
  const plan = planOfUnits('m', [], { keepHeads: heads, keepNeurons: neurons });
  const variant = pruned({ shape, weights: base.weights }, plan);
  expect(base.bytes).toBe(0); // making a variant reads nothing
  const view = counting(variant.weights);
  let changed = 0;
  for (const layer of variant.shape.layers) {
    for (const role of layerRoles(layer)) {
      const [before, after] = [base, view].map(({ weights }) => weights.layerTensor(role, layer.source));
      if (before!.end - before!.begin === after!.end - after!.begin) continue;
      changed += before!.end - before!.begin;
      await view.weights.read(after!);
    }
  }
  return { base, view, changed };
}

test('what is read and handed on is at most twice the changed matrices, and never more than one of them at a time', async () => {
  const runs = [await readVariant(4), await readVariant(8), await readVariant(16)];
  for (const { base, view, changed } of runs) {
    // All matrices of a block change: 2·8·16·96 + 2·4·16·96 + 3·160·96 elements of 16 bits.
    expect(changed / view.bytes).toBeCloseTo(4 / 3, 10);
    expect(base.bytes).toBeGreaterThan(view.bytes);
    expect(base.bytes).toBeLessThanOrEqual(changed);
    expect(base.bytes + view.bytes).toBeLessThan(2 * changed);
    expect(base.peak).toBe(base.largest);
    expect(view.peak).toBe(view.largest);
    expect(base.largest).toBeLessThanOrEqual(160 * 96 * 2);
  }
  const [four, eight, sixteen] = runs;
  expect(eight!.changed).toBe(2 * four!.changed);
  expect(sixteen!.base.bytes).toBe(4 * four!.base.bytes);
  expect(new Set(runs.map(({ base, view }) => `${base.peak} ${view.peak}`)).size).toBe(1);
});
