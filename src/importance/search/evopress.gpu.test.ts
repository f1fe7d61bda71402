/** @file The whole search on a small model, against every set there is. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../engine/engine';
import type { GpuContext } from '../../engine/gpu/device';
import { sharedTestDevice } from '../../engine/testing/harness';
import { randomModel } from '../../engine/testing/testWeights';
import type { ModelShape } from '../../model/shape';
import { removeFromLayers, unitToJson } from '../../model/unit';
import { evolutionMethods } from '../methods';
import { unitAt, unitIndices } from '../numbering';
import { searchByEvolution } from './evopress';

const shape: ModelShape = {
  family: 'llama',
  vocab: 67,
  hidden: 32,
  layers: [0, 1, 2, 3, 4, 5].map((source) => ({
    source,
    heads: source === 2 ? 0 : 4,
    kvHeads: source === 2 ? 0 : 2,
    headDim: 8,
    ffn: 44,
  })),
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedHead: true,
};
const sequences = [3, 5, 7, 11].map((step) => Array.from({ length: 12 }, (_, index) => (index * step) % shape.vocab));

let context: GpuContext;
let engine: Engine;
beforeAll(async () => {
  context = await sharedTestDevice();
  engine = await Engine.create(context, randomModel(shape, 'F16', 4));
});
afterAll(() => {
  engine.dispose();
});

describe.each([['block'], ['mlp'], ['half']] as const)('pairs of the unit %s', (unit) => {
  test('the search finds the best of all pairs, and says how good it is', async () => {
    const { layers } = shape;
    const indices = unitIndices(layers, unit);
    const pairs = indices.flatMap((a) => indices.flatMap((b) => (a < b ? [[a, b]] : [])));
    const without = (pair: readonly number[]) =>
      removeFromLayers(
        layers,
        pair.map((index) => unitAt(unit, index)),
      );
    const { kl } = await engine.divergence(pairs.map(without), sequences);
    const best = kl.indexOf(Math.min(...kl));
    const found = await searchByEvolution({
      record: evolutionMethods[0]!,
      probe: engine,
      layers,
      sequences,
      protectedBlocks: [],
      request: { unit, count: 2, generations: 12, offspring: 12 },
      seed: 1,
    });
    expect(found.removed).toEqual(pairs[best]!.map((index) => unitToJson(unitAt(unit, index))));
    expect(found.trace.at(-1)!.kl).toBeCloseTo(kl[best]!, 5);
    const { sumNll, tokens } = await engine.score(without(pairs[best]!), sequences);
    expect(found.perplexity).toBeCloseTo(Math.exp(sumNll.reduce((a, b) => a + b, 0) / tokens), 4);
    expect(found.passes.made).toBeLessThan(found.passes.separate);
  });
});
