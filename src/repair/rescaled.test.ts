/** @file Factors in the float64 model: what they change and what they must not change, on every family of the fixtures. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { block, randomModel, readModel, tinyShape } from '../engine/testing/testWeights';
import { layerRoles, modelRoles } from '../model/shape';
import { partOfTensor, type TensorRef, toFloat32, type WeightSource } from '../model/weights';
import { hiddenStates, modelLogits } from '../numerics/model';
import { canRescale, rescaled } from '../weights/rescaled';
import { referenceOf } from '../weights/testing/referenceOf';

const folder = 'tools/golden/fixtures';
const fixtures = readdirSync(folder).filter((name) => name.startsWith('tiny-'));
const families = fixtures.map((name) => [name, readModel(`${folder}/${name}`)] as const);
const tokens = [1, 5, 9, 13, 17, 21, 25, 29];

/** Factors below are powers of two, which round no stored value. Only norms around 0 do, to float32. */
function expectClose(found: Float64Array, expected: Float64Array): void {
  const scale = Math.max(...expected.map(Math.abs));
  const worst = found.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at]!)), 0);
  expect(worst / scale).toBeLessThan(1e-6);
}

describe.each(families.filter(([, { shape }]) => canRescale(shape)))('%s', (_name, model) => {
  const { weights, reference } = model;
  const shape = { ...model.shape, normEps: 0 }; // it does not scale along
  const end = shape.layers.length;

  test('behind the last block no factor shows: head and final norm undo it', async () => {
    const scaled = rescaled(shape, weights, [{ before: end, factor: 4 }]);
    const own = await referenceOf(shape, scaled);
    const found = modelLogits(shape, own, tokens);
    expectClose(found, modelLogits(shape, reference, tokens));
    // The embedding itself is another one.
    expect(own.embed[5]).toBe(4 * reference.embed[5]!);
  });

  test('before its block each factor multiplies the hidden state, and the product all before both', async () => {
    const factors = [
      { before: 1, factor: 4 },
      { before: 2, factor: 0.5 },
    ];
    const found = hiddenStates(shape, await referenceOf(shape, rescaled(shape, weights, factors)), tokens);
    const plain = hiddenStates(shape, reference, tokens);
    expectClose(
      found[0]!,
      plain[0]!.map((value) => 2 * value),
    );
    // The block before both cuts adds twice as much too.
    expectClose(
      found[1]!,
      plain[1]!.map((value) => 2 * value),
    );
  });
});

test('the fixtures have every placement of norms, tied heads and others, and biases', () => {
  const shapes = families.map(([, { shape }]) => shape);
  expect(new Set(shapes.map(({ layers }) => layers[0]!.normPlacement))).toEqual(new Set([undefined, 'both', 'post']));
  expect(new Set(shapes.map(({ tiedHead }) => tiedHead)).size).toBe(2);
  expect(shapes.some(({ layers }) => layers[0]!.biases?.includes('downBias'))).toBe(true);
});

test('blocks that read the hidden state without a norm are refused', () => {
  const olmo = families.find(([, { shape }]) => !canRescale(shape))![1];
  expect(() => rescaled(olmo.shape, olmo.weights, [{ before: 1, factor: 2 }])).toThrow('without a norm');
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a factor %f is refused', (factor) => {
  const { shape, weights } = families[0]![1];
  expect(() => rescaled(shape, weights, [{ before: 1, factor }])).toThrow('positive');
});

describe.each(['F32', 'F16', 'BF16'] as const)('%s', (dtype) => {
  const shape = tinyShape([0, 1].map((source) => block(source, { biases: ['oBias', 'qBias'] })));
  const { weights } = randomModel(shape, dtype);
  const scaled = rescaled(shape, weights, [{ before: 1, factor: 1.3 }]);
  const all = (source: WeightSource): TensorRef[] => [
    ...modelRoles(shape).map((role) => source.modelTensor(role)),
    ...shape.layers.flatMap((layer) => layerRoles(layer).map((role) => source.layerTensor(role, layer.source))),
  ];

  test('values are the products, rounded to the stored type; vectors are F32; what has no factor stays where it is', async () => {
    const relative = { F32: 6e-8, F16: 2 ** -11, BF16: 2 ** -8 }[dtype];
    const changed: string[] = [];
    const before = all(weights);
    for (const [at, ref] of all(scaled).entries()) {
      const old = before[at]!;
      if (ref === old) continue;
      changed.push(old.name);
      const factor = old.name === 'finalNorm' ? 1 / 1.3 : 1.3;
      expect(ref.dtype).toBe(ref.dims.length === 1 ? 'F32' : dtype);
      expect(ref.dims).toEqual(old.dims);
      const values = toFloat32(await scaled.read(ref), ref.dtype);
      const plain = toFloat32(await weights.read(old), old.dtype);
      const rounding = ref.dtype === 'F32' ? 1e-7 : relative;
      for (const [i, value] of values.entries()) {
        expect(Math.abs(value - factor * plain[i]!)).toBeLessThanOrEqual(
          rounding * Math.abs(factor * plain[i]!) + 1e-7,
        );
      }
    }
    expect(changed).toEqual(['embed', 'finalNorm', 'oProj 0', 'oBias 0', 'downProj 0']);
  });

  test('parts and files are the same bytes as the whole', async () => {
    for (const ref of all(scaled).filter((each) => each.file.startsWith('rescaled'))) {
      const whole = await scaled.read(ref);
      const size = whole.length / (ref.end - ref.begin);
      expect(size).toBe(1);
      for (const [begin, end] of [
        [0, 4],
        [ref.end - 8, ref.end],
        [6, 26], // within elements of four bytes
      ] as const) {
        expect(await scaled.read(partOfTensor(ref, begin, end))).toEqual(whole.slice(begin, end));
      }
      expect(new Uint8Array(await (await scaled.file(ref.file)).arrayBuffer())).toEqual(whole);
      expect(scaled.owner?.(ref)).toBe(scaled);
    }
  });
});
