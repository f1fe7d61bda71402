/** @file Weights as float32, and blocks that were written back over them. */
import { expect, test } from 'vitest';
import { block, randomModel, tinyShape } from '../engine/testing/testWeights';
import type { WrittenPiece } from '../model/view';
import { partOfTensor, toFloat32 } from '../model/weights';
import { inFloat32 } from '../weights/inFloat32';
import { WrittenWeights } from '../weights/written';

const shape = tinyShape([block(0, { biases: ['qBias'] }), block(1)]);

test.each(['F16', 'BF16', 'F32'] as const)(
  '%s as float32: every value, whole and in parts, at places of their own',
  async (dtype) => {
    const { weights, reference } = randomModel(shape, dtype);
    const wide = inFloat32(shape, weights, 'mine');
    for (const [role, source] of [
      ['downProj', 1],
      ['qBias', 0],
      ['mlpNorm', 1],
    ] as const) {
      const ref = wide.layerTensor(role, source);
      expect(ref).toMatchObject({ dtype: 'F32', file: 'mine', dims: weights.layerTensor(role, source).dims });
      const values = reference.layers[source]![role]!;
      expect(Array.from(toFloat32(await wide.read(ref), 'F32'))).toEqual(Array.from(values));
      const part = await wide.read(partOfTensor(ref, 8, 24));
      expect(Array.from(toFloat32(part, 'F32'))).toEqual(Array.from(values.slice(2, 6)));
    }
    const embed = wide.modelTensor('embed');
    expect(Array.from(toFloat32(await wide.read(embed), 'F32'))).toEqual(Array.from(reference.embed));
    const places = [embed, ...(['qProj', 'kProj', 'downProj'] as const).map((role) => wide.layerTensor(role, 0))];
    expect(new Set(places.map(({ begin }) => begin)).size).toBe(places.length);
  },
);

test('a block that was written is read as it was written last; the others as before', async () => {
  const { weights } = randomModel(shape, 'F32');
  const written = new WrittenWeights(inFloat32(shape, weights, 'mine'), 'mine written');
  const { dims } = weights.layerTensor('downProj', 1);
  const count = dims[0]! * dims[1]!;
  async function* pieces(value: number): AsyncGenerator<WrittenPiece> {
    const half = count / 2;
    for (const begin of [0, half]) {
      const bytes = new Uint8Array(new Float32Array(half).fill(value + begin).buffer);
      yield { role: 'downProj', dtype: 'F32', dims, begin: begin * 4, bytes };
    }
  }
  const places = new Set([written.layerTensor('downProj', 1).file]);
  for (const value of [3, 5]) {
    await written.writeBack(1, pieces(value));
    const ref = written.layerTensor('downProj', 1);
    places.add(ref.file);
    const values = toFloat32(await written.read(ref), 'F32');
    expect([values[0], values.at(-1)]).toEqual([value, value + count / 2]);
    expect(toFloat32(await written.read(partOfTensor(ref, 4, 8)), 'F32')[0]).toBe(value);
  }
  expect(places.size).toBe(3);
  expect(written.layerTensor('downProj', 0).file).toBe('mine');
});
