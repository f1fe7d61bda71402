/** @file Which weights a layer has, and of what size, follows from its shape alone. */
import { expect, test } from 'vitest';
import { layerParameters } from './count';
import {
  attentionRoles,
  type LayerShape,
  layerRoles,
  layerWeightDims,
  type ModelShape,
  mlpRoles,
  ropeOf,
  scoredRoles,
} from './shape';

const plain: LayerShape = { source: 0, heads: 6, kvHeads: 2, headDim: 4, ffn: 5 };
const full: LayerShape = { ...plain, biases: ['qBias', 'kBias', 'vBias', 'oBias'], qkNorm: 'head', window: 8 };
const shape: ModelShape = {
  family: 'llama',
  vocab: 10,
  hidden: 8,
  layers: [plain, full],
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 32,
  tiedHead: true,
};
const mlp = ['mlpNorm', 'gateProj', 'upProj', 'downProj'];

test('a plain layer has nine weights', () => {
  expect(layerRoles(plain)).toEqual(['attnNorm', 'qProj', 'kProj', 'vProj', 'oProj', ...mlp]);
  expect(scoredRoles(plain)).toEqual(layerRoles(plain));
});

test('biases and norms of heads come in the order of the forward pass; criteria leave biases out', () => {
  const projections = ['attnNorm', 'qProj', 'qBias', 'kProj', 'kBias', 'vProj', 'vBias'];
  expect(layerRoles(full)).toEqual([...projections, 'qNorm', 'kNorm', 'oProj', 'oBias', ...mlp]);
  expect(scoredRoles(full)).toEqual(['attnNorm', 'qProj', 'kProj', 'vProj', 'qNorm', 'kNorm', 'oProj', ...mlp]);
  expect(attentionRoles({ ...plain, biases: ['vBias'] })).toEqual([
    'attnNorm',
    'qProj',
    'kProj',
    'vProj',
    'vBias',
    'oProj',
  ]);
});

test('norms on outputs come last in their sub-block, with or in place of those on inputs; criteria count them', () => {
  const both = layerRoles({ ...plain, normPlacement: 'both' });
  expect(both).toEqual(['attnNorm', 'qProj', 'kProj', 'vProj', 'oProj', 'postAttnNorm', ...mlp, 'postMlpNorm']);
  const post = { ...plain, normPlacement: 'post', qkNorm: 'all', biases: ['oBias'] } as const;
  const attention = ['qProj', 'kProj', 'vProj', 'qNorm', 'kNorm', 'oProj', 'oBias', 'postAttnNorm'];
  expect(layerRoles(post)).toEqual([...attention, 'gateProj', 'upProj', 'downProj', 'postMlpNorm']);
  expect(scoredRoles(post)).toEqual(layerRoles(post).filter((role) => role !== 'oBias'));
  expect(layerRoles({ ...post, heads: 0, kvHeads: 0 })).toEqual(['gateProj', 'upProj', 'downProj', 'postMlpNorm']);
  expect(layerRoles({ ...post, ffn: 0 })).toEqual(attention);
});

test('a sub-block that is gone takes its biases and norms along', () => {
  expect(layerRoles({ ...full, heads: 0, kvHeads: 0 })).toEqual(mlp);
  expect(layerRoles({ ...full, ffn: 0 })).toEqual(attentionRoles(full));
  expect(layerRoles({ ...full, heads: 0, kvHeads: 0, ffn: 0 })).toEqual([]);
});

test('sizes of biases and norms, and their part in the count', () => {
  const dims = (role: Parameters<typeof layerWeightDims>[2]) => layerWeightDims(shape, full, role);
  expect([dims('qBias'), dims('kBias'), dims('vBias'), dims('oBias')]).toEqual([[24], [8], [8], [8]]);
  expect([dims('qNorm'), dims('kNorm')]).toEqual([[4], [4]]);
  expect(layerParameters(shape, full) - layerParameters(shape, plain)).toBe(24 + 8 + 8 + 8 + 4 + 4);
});

test('biases of the MLP follow their projections, have its sizes and go with it', () => {
  const layer: LayerShape = { ...plain, biases: ['downBias', 'gateBias', 'upBias'] };
  const roles = ['mlpNorm', 'gateProj', 'gateBias', 'upProj', 'upBias', 'downProj', 'downBias'];
  expect(mlpRoles(layer)).toEqual(roles);
  expect(attentionRoles(layer)).toEqual(attentionRoles(plain));
  expect(scoredRoles(layer)).toEqual(scoredRoles(plain));
  expect(mlpRoles({ ...layer, biases: ['upBias'], normPlacement: 'post' })).toEqual([
    ...['gateProj', 'upProj', 'upBias', 'downProj', 'postMlpNorm'],
  ]);
  expect(layerRoles({ ...layer, ffn: 0 })).toEqual(attentionRoles(plain));
  const dims = (role: Parameters<typeof layerWeightDims>[2]) => layerWeightDims(shape, layer, role);
  expect([dims('gateBias'), dims('upBias'), dims('downBias')]).toEqual([[5], [5], [8]]);
  expect(layerParameters(shape, layer) - layerParameters(shape, plain)).toBe(5 + 5 + 8);
});

test('norms over all heads are as long as queries and keys', () => {
  const layer: LayerShape = { ...plain, qkNorm: 'all', normPlacement: 'both' };
  const dims = (role: Parameters<typeof layerWeightDims>[2]) => layerWeightDims(shape, layer, role);
  expect([dims('qNorm'), dims('kNorm'), dims('postAttnNorm'), dims('postMlpNorm')]).toEqual([[24], [8], [8], [8]]);
  expect(layerParameters(shape, layer) - layerParameters(shape, plain)).toBe(24 + 8 + 8 + 8);
});

test("a layer turns by the model's θ unless it has an embedding of its own", () => {
  expect(ropeOf(shape, plain)).toEqual({ theta: 10000 });
  const rope = { theta: 500, scaling: { kind: 'linear', factor: 2 } } as const;
  expect(ropeOf(shape, { ...plain, rope })).toBe(rope);
});
