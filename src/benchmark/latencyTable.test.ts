/** @file The latency table on made-up machines whose costs are known. */
import { describe, expect, test } from 'vitest';
import type { LayerShape, ModelShape } from '../model/shape';
import { createRandom, randomGaussian } from '../numerics/random';
import { shapeOfSizes, sizeOptions, sizeUnits } from '../pruning/budget/sizes';
import { blockMs, fitLatencyTable, modelMs, steadied, tableCuts } from './latencyTable';

const layer: LayerShape = { source: 0, heads: 8, kvHeads: 4, headDim: 16, ffn: 352 };
const modelOf = (layers: readonly LayerShape[]): ModelShape => ({
  ...{ family: 'llama', vocab: 10, hidden: 128, normEps: 1e-5, ropeTheta: 1e4, maxPositions: 64, tiedHead: true },
  layers: layers.map((each, source) => ({ ...each, source })),
});
const base = modelOf(Array.from({ length: 12 }, () => layer));

/** A machine on which a token takes as long as these say. */
const machine =
  (attention: (channels: number) => number, mlp: (ffn: number) => number) =>
  ({ layers }: ModelShape): number =>
    layers.reduce(
      (sum, { heads, kvHeads, headDim, ffn }) =>
        sum + (heads === 0 ? 0 : attention((heads + kvHeads) * headDim)) + (ffn === 0 ? 0 : mlp(ffn)),
      0.4,
    );
const linear = machine(
  (channels) => 0.02 + 1e-4 * channels,
  (ffn) => 0.01 + 2e-4 * ffn,
);

function tableOf(shape: ModelShape, time: (shape: ModelShape) => number, noise: (at: number) => number = () => 1) {
  const cuts = tableCuts(shape, () => true);
  return fitLatencyTable(
    cuts.map(({ name, sizes }, at) => {
      const cut = shapeOfSizes(shape, sizes);
      return { name, shape: cut, milliseconds: time(cut) * noise(at), spread: 0.01 * at };
    }),
  );
}

/** Every size that a search may give a block. */
const options = sizeOptions(layer, sizeUnits);

describe('exact times', () => {
  test('the parts are recovered, and every other model is predicted', () => {
    const table = tableOf(base, linear);
    expect(table.residual).toBeLessThan(1e-9);
    expect(table.outside).toBeCloseTo(0.4, 9);
    for (const [at, option] of options.entries()) {
      const sizes = base.layers.map((_, index) => options[(at + 7 * index) % options.length] ?? option);
      const cut = shapeOfSizes(base, sizes);
      expect(modelMs(table, cut)).toBeCloseTo(linear(cut), 9);
    }
    expect(table.points[0]).toMatchObject({ name: 'whole model', measured: linear(base) });
    expect(table.points.map(({ name }) => name)).toEqual([
      ...['whole model', 'all, 6 of 12 blocks', 'without MLPs', 'without attentions', '50 % of the heads'],
      ...['25 % of the heads', '50 % of the neurons', '25 % of the neurons', 'half of both'],
    ]);
    expect(table.spread).toBeCloseTo(0.08, 12);
  });

  test('small MLPs that hardly save time are told apart from large ones that do', () => {
    const bent = machine(
      () => 0.05,
      (ffn) => 0.02 + 3e-4 * Math.max(0, ffn - 176),
    );
    const table = tableOf(base, bent);
    expect(table.residual).toBeLessThan(0.02);
    expect(blockMs(table, { ...layer, ffn: 64 })).toBeCloseTo(0.07, 2);
    expect(blockMs(table, layer)).toBeCloseTo(0.05 + 0.02 + 3e-4 * 176, 2);
  });
});

test.each([1, 2, 3, 4, 5])(
  'times with noise of 3 %%, seed %i: no cost is negative, more never takes less, and the base is right',
  (seed) => {
    const random = createRandom(seed);
    const table = tableOf(base, linear, () => Math.exp(0.03 * randomGaussian(random)));
    const costs = [table.outside, ...Object.values(table.attention), ...Object.values(table.mlp)];
    for (const cost of costs) expect(cost).toBeGreaterThanOrEqual(0);
    const ms = (groups: number, ffn: number) => blockMs(table, { ...layer, heads: 2 * groups, kvHeads: groups, ffn });
    for (let ffn = 32; ffn <= 352; ffn += 32) expect(ms(4, ffn)).toBeGreaterThanOrEqual(ms(4, ffn - 32));
    for (let groups = 1; groups <= 4; groups++) expect(ms(groups, 352)).toBeGreaterThanOrEqual(ms(groups - 1, 352));
    expect(modelMs(table, base) / linear(base)).toBeGreaterThan(0.93);
    expect(modelMs(table, base) / linear(base)).toBeLessThan(1.07);
    expect(table.residual).toBeGreaterThan(0.001);
    expect(table.residual).toBeLessThan(0.06);
  },
);

describe('cuts', () => {
  test('at most ten, each with something in it, and none twice', () => {
    const odd = modelOf([layer, { ...layer, heads: 0, kvHeads: 0 }, { ...layer, ffn: 0 }]);
    const single = modelOf([
      { ...layer, heads: 4, kvHeads: 1 },
      { ...layer, heads: 4, kvHeads: 1 },
    ]);
    const together = modelOf([{ ...layer, qkNorm: 'all' }]);
    for (const shape of [base, odd, single, together]) {
      const shapes = tableCuts(shape, () => false).map(({ sizes }) => shapeOfSizes(shape, sizes));
      expect(shapes.length).toBeLessThanOrEqual(10);
      expect(new Set(shapes.map(({ layers }) => JSON.stringify(layers))).size).toBe(shapes.length);
      for (const { layers } of shapes) expect(layers.length).toBeGreaterThan(0);
      expect(shapes[0]).toEqual(shape);
      // Whatever cannot be told apart, the fit is finite.
      const table = tableOf(shape, linear);
      expect(modelMs(table, shape)).toBeCloseTo(linear(shape), 6);
    }
    expect(tableCuts(single, () => true).map(({ name }) => name)).not.toContain('50 % of the heads');
  });

  test('they have fewer blocks where that many do not fit side by side', () => {
    const fits = (shapes: readonly ModelShape[]) => shapes.slice(1).every(({ layers }) => layers.length <= 4);
    const cuts = tableCuts(base, fits).map(({ sizes }) => shapeOfSizes(base, sizes).layers.length);
    expect(cuts).toEqual([12, 3, 1, 3, 3, 3, 3, 3, 3, 3]);
  });
});

test('what slows a round is divided out', () => {
  const slowness = [1, 1.1, 3, 1.2, 0.9, 1];
  const runs = (cost: number) => slowness.map((slow) => ({ prefillMs: 5, latencyMs: 5 + 3 * cost * slow }));
  const [one, two] = steadied([runs(2), runs(8)], 4, true);
  expect(two!.milliseconds / one!.milliseconds).toBeCloseTo(4, 12);
  expect(one!.spread).toBeLessThan(1e-9);
  // Not side by side: rounds say nothing about one another.
  expect(steadied([runs(2), runs(8)], 4, false)[0]!.spread).toBeGreaterThan(0.5);
  expect(() => steadied([[{ prefillMs: 1, latencyMs: 1 }]], 4, true)).toThrow(/clock/);
});
