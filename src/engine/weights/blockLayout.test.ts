import { expect, test } from 'vitest';
import type { LayerShape, ModelShape } from '../../model/shape';
import { randomModel } from '../testing/testWeights';
import { blockLayout, normGroups } from './blockLayout';

const layer: LayerShape = { source: 0, heads: 4, kvHeads: 2, headDim: 6, ffn: 20 };
const layoutOf = (changes: Partial<LayerShape>) => {
  const own = { ...layer, ...changes };
  const shape: ModelShape = {
    family: 'llama',
    vocab: 8,
    hidden: 16,
    layers: [own],
    normEps: 1e-5,
    ropeTheta: 10000,
    maxPositions: 64,
    tiedHead: true,
  };
  return blockLayout(shape, own, randomModel(shape, 'F16').weights);
};

test('a plain layer has no part for what only some families have', () => {
  const { attention, mlp, parts } = layoutOf({ window: 7 });
  expect(attention).toMatchObject({ qkvBias: null, headNorms: null, outBias: null, postNorm: null });
  expect(mlp).toMatchObject({ gateUpBias: null, downBias: null, postNorm: null });
  expect(parts.map(({ roles }) => roles.join())).toEqual([
    'attnNorm',
    'qProj,kProj,vProj',
    'oProj',
    'mlpNorm',
    'gateProj,upProj',
    'downProj',
  ]);
});

test('biases and norms of heads are float32 vectors behind one another, padded to 16 bytes', () => {
  const { attention, bytes, parts } = layoutOf({ biases: ['qBias', 'kBias', 'vBias', 'oBias'], qkNorm: 'head' });
  expect(attention?.qkvBias).toMatchObject({ dtype: 'F32', rows: 1, inner: 24 + 12 + 12, bytes: 4 * 48 });
  expect(attention?.headNorms).toMatchObject({ roles: ['qNorm', 'kNorm'], dtype: 'F32', inner: 12, bytes: 48 });
  expect(attention?.outBias).toMatchObject({ dtype: 'F32', inner: 16, bytes: 64 });
  expect(bytes).toBe(parts.reduce((sum, part) => sum + part.bytes, 0));
  expect(bytes - layoutOf({}).bytes).toBe(4 * 48 + 48 + 64);
});

test('biases of the MLP: gate and up behind one another, down by itself', () => {
  const { mlp, bytes } = layoutOf({ biases: ['gateBias', 'upBias', 'downBias'] });
  expect(mlp?.gateUpBias).toMatchObject({ roles: ['gateBias', 'upBias'], dtype: 'F32', inner: 40, bytes: 160 });
  expect(mlp?.downBias).toMatchObject({ roles: ['downBias'], dtype: 'F32', inner: 16, bytes: 64 });
  expect(bytes - layoutOf({}).bytes).toBe(160 + 64);
  expect(layoutOf({ biases: ['upBias'] }).mlp).toMatchObject({ gateUpBias: { roles: ['upBias'] }, downBias: null });
  expect(layoutOf({ biases: ['gateBias'] }).key).not.toBe(layoutOf({ biases: ['upBias'] }).key);
});

test('norms lie before a sub-block, behind it, or both; those over all heads are as long as queries and keys', () => {
  const { attention, mlp } = layoutOf({ normPlacement: 'post', qkNorm: 'all' });
  expect(attention).toMatchObject({ norm: null, headNorms: { inner: 24 + 12 }, postNorm: { inner: 16 } });
  expect(mlp).toMatchObject({ norm: null, postNorm: { roles: ['postMlpNorm'], inner: 16 } });
  const both = layoutOf({ normPlacement: 'both' });
  expect(both.attention).toMatchObject({ norm: { inner: 16 }, postNorm: { roles: ['postAttnNorm'] } });
  expect(both.bytes - layoutOf({}).bytes).toBe(2 * 64);
  expect(normGroups({ ...layer, qkNorm: 'all' })).toEqual({ queryHeads: 1, keyHeads: 1, queryDim: 24, keyDim: 12 });
  expect(normGroups({ ...layer, qkNorm: 'head' })).toEqual({ queryHeads: 4, keyHeads: 2, queryDim: 6, keyDim: 6 });
});

test('blocks of different biases do not take the buffers of one another', () => {
  expect(layoutOf({ biases: ['kBias'] }).key).not.toBe(layoutOf({ biases: ['vBias'] }).key);
  expect(layoutOf({ window: 3 }).key).toBe(layoutOf({}).key);
});

test('runs of columns with a bias: one where all have one, more where one between lacks it', () => {
  const runs = (...biases: NonNullable<LayerShape['biases']>) => layoutOf({ biases }).attention?.qkvBias?.runs ?? [];
  expect(runs()).toEqual([]);
  expect(runs('oBias')).toEqual([]);
  expect(runs('vBias', 'qBias', 'kBias', 'oBias')).toEqual([{ first: 0, count: 48, biasFirst: 0 }]);
  expect(runs('kBias', 'vBias')).toEqual([{ first: 24, count: 24, biasFirst: 0 }]);
  expect(runs('qBias', 'vBias')).toEqual([
    { first: 0, count: 24, biasFirst: 0 },
    { first: 36, count: 12, biasFirst: 24 },
  ]);
  const outBias = layoutOf({ biases: ['oBias'] }).attention?.outBias;
  expect(outBias?.runs).toEqual([{ first: 0, count: 16, biasFirst: 0 }]);
  const ofMlp = (...biases: NonNullable<LayerShape['biases']>) => layoutOf({ biases }).mlp?.gateUpBias?.runs ?? [];
  expect(ofMlp('downBias', 'qBias')).toEqual([]);
  expect(ofMlp('upBias', 'gateBias')).toEqual([{ first: 0, count: 40, biasFirst: 0 }]);
  expect(ofMlp('upBias', 'downBias')).toEqual([{ first: 20, count: 20, biasFirst: 0 }]);
});
