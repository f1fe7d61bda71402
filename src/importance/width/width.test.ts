/** @file The width methods on statistics that one can check by hand. */
import { describe, expect, test } from 'vitest';
import type { TaylorLayer } from '../../engine/measure/taylor';
import type { ChannelStatistics, WidthStatistics } from '../../engine/measure/width';
import type { LayerShape, ModelShape } from '../../model/shape';
import type { WeightSource } from '../../model/weights';
import { measureWidth } from '../measure';
import type { WidthSetting } from '../method';
import { widthMethodOf, widthMethods } from '../methods';
import { flapScores, standardized } from './flap';
import { llmPrunerScores } from './llmPruner';
import { columnSumsOnCpu, magnitudeSpScores } from './magnitudeSp';
import randomWidth from './random';
import { wandaSpScores } from './wandaSp';

const layer = (changes: Partial<LayerShape> = {}): LayerShape => ({
  source: 0,
  heads: 2,
  kvHeads: 1,
  headDim: 2,
  ffn: 3,
  ...changes,
});
const shapes = [layer(), layer({ heads: 0, kvHeads: 0 }), layer({ ffn: 0 })];

const channels = (
  mean: number[],
  deviations: number[],
  absolute: number[],
  squares: number[],
  rows = 2,
): ChannelStatistics => ({
  mean: Float64Array.from(mean),
  deviations: Float64Array.from(deviations),
  columns: { absolute: Float64Array.from(absolute), squares: Float64Array.from(squares), rows },
});
const attention = channels([0, 1, 2, 0], [8, 5, 2, 0], [2, 4, 6, 8], [1, 2, 1, 5]);
const mlp = channels([1, 0, 0], [1, 2, 18], [2, 4, 2], [4, 8, 1]);
/** Two sequences of three and one token. */
const statistics: WidthStatistics = {
  samples: 2,
  tokens: 4,
  layers: [
    { attention, mlp },
    { attention: null, mlp },
    { attention, mlp: null },
  ],
};

test('Wanda-sp: mean of |W| times the root of the mean of Σ X² over the samples; heads are sums', () => {
  // s = (8, 5 + 4, 2 + 16, 0) / 2 = (4, 4.5, 9, 0); neurons: (1 + 4, 2, 18) / 2 = (2.5, 1, 9)
  const { heads, neurons } = wandaSpScores(statistics, shapes);
  expect(heads[0]![0]).toBeCloseTo(1 * 2 + 2 * Math.sqrt(4.5), 12);
  expect(heads[0]![1]).toBeCloseTo(3 * 3 + 0, 12);
  expect(neurons[0]).toEqual([Math.sqrt(2.5), 2, 3]);
  expect([heads[1], neurons[2]]).toEqual([[], []]);
  expect([heads[2], neurons[1]]).toEqual([heads[0], neurons[0]]);
});

describe('FLAP', () => {
  test('standardized: mean 0, unbiased deviation 1; 0 where all are alike', () => {
    expect(standardized([1, 2, 3])).toEqual([-1, 0, 1]);
    expect(standardized([4, 4])).toEqual([0, 0]);
    expect(standardized([7])).toEqual([0]);
    for (const bad of [Number.NaN, Infinity])
      expect(standardized([1, bad, 2])).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test('fluctuation times Σ W², squared for an attention; a head is the mean over its channels', () => {
    // attention: (8, 10, 2, 0) / 1, squared (64, 100, 4, 0): mean 42, squares of what is left 484 + 3364 + 1444 + 1764
    const { heads, neurons } = flapScores(statistics, shapes);
    const deviation = Math.sqrt(7056 / 3);
    expect(heads[0]![0]).toBeCloseTo((22 + 58) / 2 / deviation, 12);
    expect(heads[0]![1]).toBeCloseTo((-38 - 42) / 2 / deviation, 12);
    // neurons: (4, 16, 18): mean 38/3
    expect(neurons[0]).toEqual(standardized([4, 16, 18]));
    expect([heads[1], neurons[2]]).toEqual([[], []]);
  });

  test('the mean itself does not count, and one sample is enough', () => {
    const moved = { ...statistics, layers: [{ attention, mlp: { ...mlp, mean: Float64Array.of(9, 9, 9) } }] };
    expect(flapScores(moved, shapes).neurons[0]).toEqual(flapScores(statistics, shapes).neurons[0]);
    expect(flapScores({ ...statistics, samples: 1 }, shapes)).toEqual(flapScores(statistics, shapes));
  });
});

test('Magnitude-sp: norms of columns, summed over a head', () => {
  const columns = statistics.layers.map(({ attention, mlp }) => ({
    attention: attention?.columns ?? null,
    mlp: mlp?.columns ?? null,
  }));
  expect(magnitudeSpScores(columns, shapes)).toEqual({
    heads: [[1 + Math.SQRT2, 1 + Math.sqrt(5)], [], [1 + Math.SQRT2, 1 + Math.sqrt(5)]],
    neurons: [[2, Math.sqrt(8), 1], [2, Math.sqrt(8), 1], []],
  });
});

test('Magnitude-sp without a GPU reads the weights', async () => {
  const values = Float32Array.of(1, -2, -3, 4, 0, 1);
  const shape = { hidden: 2, layers: [layer({ heads: 0, kvHeads: 0 })] } as unknown as ModelShape;
  const weights = {
    layerTensor: (role: string) => ({ name: role, dtype: 'F32' }),
    read: async ({ name }: { name: string }) => {
      expect(name).toBe('downProj');
      return new Uint8Array(values.buffer);
    },
  } as unknown as WeightSource;
  // Columns (1, 4), (−2, 0), (−3, 1)
  expect(await columnSumsOnCpu({ shape, weights })).toEqual([
    {
      attention: null,
      mlp: { absolute: Float64Array.of(5, 2, 4), squares: Float64Array.of(17, 4, 10), rows: 2 },
    },
  ]);
  const setting = { probe: null, shape, weights, sequences: [], seed: 1 };
  expect(await measureWidth(widthMethodOf('magnitude-sp'), setting)).toEqual({
    heads: [[]],
    neurons: [[Math.sqrt(17), 2, Math.sqrt(10)]],
  });
});

test('LLM-Pruner: a group takes its rows of q, k and v and its columns of o, a neuron its lines of all three', () => {
  const taylor = (found: Partial<Record<string, number[]>>): TaylorLayer => ({
    attention: 0,
    mlp: 0,
    total: 0,
    roles: {},
    gradientNorms: {},
    channels: Object.fromEntries(Object.entries(found).map(([role, values]) => [role, Float32Array.from(values!)])),
  });
  const shape = layer({ heads: 4, kvHeads: 2, headDim: 2, ffn: 2 });
  const qProj = [1, 1, 1, 1, 2, 2, 2, 2];
  const oProj = [10, 0, 0, 0, 0, 0, 0, 20];
  const attention = { qProj, kProj: [100, 0, 0, 200], vProj: [0, 1000, 2000, 0], oProj };
  const mlp = { gateProj: [1, 2], upProj: [10, 20], downProj: [100, 200] };
  const layers = [taylor({ ...attention, ...mlp }), taylor(mlp), taylor(attention)];
  expect(llmPrunerScores(layers, [shape, { ...shape, heads: 0, kvHeads: 0 }, { ...shape, ffn: 0 }])).toEqual({
    heads: [[1114, 2228], [], [1114, 2228]],
    neurons: [[111, 222], [111, 222], []],
  });
  expect(() => llmPrunerScores([taylor({})], [shape])).toThrow('expected channels of qProj');
});

test('random scores come from the seed, one per head and neuron', async () => {
  const score = (seed: number) => randomWidth.score({ shape: { layers: shapes }, seed } as unknown as WidthSetting);
  const { heads, neurons } = await score(3);
  expect(heads.map(({ length }) => length)).toEqual([2, 0, 2]);
  expect(neurons.map(({ length }) => length)).toEqual([3, 3, 0]);
  expect(await score(3)).toEqual({ heads, neurons });
  expect(await score(4)).not.toEqual({ heads, neurons });
});

test('an unknown method and one without its GPU are refused', async () => {
  expect(widthMethods.map(({ id }) => widthMethodOf(id).id)).toEqual(widthMethods.map(({ id }) => id));
  expect(() => widthMethodOf('best')).toThrow(
    /one of wanda-sp, flap, llm-pruner, magnitude-sp, random\b.*, got 'best'/,
  );
  const setting = { probe: null, shape: { layers: shapes }, sequences: [[1, 2]], seed: 1 } as unknown as WidthSetting;
  await expect(measureWidth(widthMethodOf('flap'), setting)).rejects.toMatchObject({ code: 'no-webgpu' });
});
