/** @file A room refuses exactly the features that it lacks. */
import { expect, test } from 'vitest';
import { type Feature, refuseFeatures } from './features';
import type { LayerShape, ModelShape } from './shape';

const block: LayerShape = { source: 0, heads: 2, kvHeads: 1, headDim: 4, ffn: 5 };
const shapeOf = (change: Partial<LayerShape>, whole: Partial<ModelShape> = {}): ModelShape => ({
  family: 'llama',
  vocab: 10,
  hidden: 8,
  layers: [block, { ...block, source: 3, ...change }],
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 32,
  tiedHead: true,
  ...whole,
});

const ofLayers: readonly (readonly [Feature, Partial<LayerShape>])[] = [
  ['window', { window: 4 }],
  ['biases', { biases: ['oBias'] }],
  ['mlpBiases', { biases: ['upBias'] }],
  ['qkNorm', { qkNorm: 'head' }],
  ['qkNormAll', { qkNorm: 'all' }],
  ['attnScale', { attnScale: 0.1 }],
  ['scoreSoftcap', { scoreSoftcap: 50 }],
  ['activation', { activation: 'gelu_tanh' }],
  ['normPlacement', { normPlacement: 'both' }],
];
const ofModels: readonly (readonly [Feature, Partial<ModelShape>])[] = [
  ['normOffset', { normOffset: 1 }],
  ['embedScale', { embedScale: 8 }],
  ['logitSoftcap', { logitSoftcap: 30 }],
];
const all = [...ofLayers, ...ofModels].map(([feature]) => feature);

test.each(ofLayers)('%s of a block', (feature, change) => {
  const refuse = (lacking: readonly Feature[], more: Partial<LayerShape> = {}) =>
    refuseFeatures(shapeOf({ ...change, ...more }), lacking, 'the abacus');
  expect(() => refuse([feature])).toThrow(/^Block 3 of this llama model has .*, which the abacus does not compute\.$/);
  expect(() => refuse([feature])).toThrow(expect.objectContaining({ code: 'unsupported-architecture' }));
  expect(() => refuse(all.filter((other) => other !== feature))).not.toThrow();
  expect(() => refuse([feature], { heads: 0, kvHeads: 0, ffn: 0 })).not.toThrow();
});

test.each(ofModels)('%s of the model', (feature, change) => {
  const shape = { ...shapeOf({}, change), layers: [] };
  expect(() => refuseFeatures(shape, [feature], 'the abacus')).toThrow(/^This llama model has /);
  expect(() =>
    refuseFeatures(
      shape,
      all.filter((other) => other !== feature),
      'the abacus',
    ),
  ).not.toThrow();
});

test('a plain model is refused by nobody', () => {
  expect(() => refuseFeatures(shapeOf({}), all, 'the abacus')).not.toThrow();
});
