/** @file The graph that is timed does not change by accident: numbers measured with it stay comparable. */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readModel } from '../engine/testing/testWeights';
import type { BiasRole, ModelShape } from '../model/shape';
import { buildGraph, type GraphOptions } from './graph';
import { randomModel, tinyShape } from './testing/randomModel';

const fixtures = fileURLToPath(new URL('../../tools/golden/fixtures/', import.meta.url));
const biases: readonly BiasRole[] = ['qBias', 'oBias', 'downBias'];

/** Heads of each kind of attention, a layer without attention and one without an MLP. */
const mixed: ModelShape = {
  ...tinyShape([
    [4, 2, 16, 40],
    [4, 2, 12, 17],
    [0, 0, 16, 40],
    [4, 2, 8, 0],
  ]),
  logitSoftcap: 8,
};
const capped: ModelShape = {
  ...mixed,
  layers: mixed.layers.map((layer) => ({ ...layer, scoreSoftcap: 3, window: 9, biases })),
};

const digest = (...graphs: readonly { readonly model: Uint8Array }[]): string => {
  const hash = createHash('sha256');
  for (const { model } of graphs) hash.update(model);
  return hash.digest('hex').slice(0, 16);
};

/** SHA-256, cut short, of the serialized graphs. Whoever changes the graph on purpose writes the new one here. */
test('the bytes of the timed graph', () => {
  const of = (shape: ModelShape, change: Partial<GraphOptions> = {}) =>
    buildGraph(shape, randomModel(shape, 'F16').weights, { maxPositions: 64, ...change });
  const golden = ['tiny-llama3', 'tiny-gemma2', 'tiny-biases'].map((name) => {
    const { shape, weights } = readModel(fixtures + name);
    return buildGraph(shape, weights, { maxPositions: 64 });
  });
  expect({
    golden: digest(...golden),
    f32: digest(of(mixed), of(capped), of(mixed, { separateRotary: true })),
    f16Weights: digest(
      of(mixed, { precision: 'f16-weights', widenUpTo: 1000 }),
      of(capped, { precision: 'f16-weights' }),
    ),
    f16: digest(of(mixed, { precision: 'f16' }), of(capped, { precision: 'f16' })),
  }).toEqual({
    golden: '078b7c1f162d4160',
    f32: 'e6439083dec6602a',
    f16Weights: '9dc47d7d0a241d82',
    f16: 'cb227feaf4d80e76',
  });
});
