/** @file Every kernel record against its own WGSL: the struct `Params` and the bindings in the same order. */
import { describe, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import type { Kernel } from '../gpu/kernel';
import { absoluteSum } from './absoluteSum';
import { adamw, squareSum } from './adamw';
import { adapterKernels, merge } from './adapter';
import { addLines } from './addLines';
import { addNormalized } from './addNormalized';
import { attention } from './attention';
import { attentionBackward } from './attentionBackward';
import { type BackTileName, backTiles, offeredBackTiles, pickBackTile } from './backTile';
import { bias } from './bias';
import { cacheAppend, cacheCombine, cacheMix, cacheScores } from './cachedAttention';
import { channelMoments } from './channelMoments';
import { columnSums } from './columnSums';
import { combineDivergence } from './combineDivergence';
import { combinePartials } from './combinePartials';
import { cosineRows } from './cosineRows';
import { divergencePartials } from './divergencePartials';
import { embedding } from './embedding';
import { embeddingGradient } from './embeddingGradient';
import { foldPairs } from './foldPairs';
import { gated, gatedGelu } from './gated';
import { headGradient } from './headGradient';
import { headNorm } from './headNorm';
import { headNormBackward } from './headNormBackward';
import { headNormGradient } from './headNormGradient';
import { headPartials } from './headPartials';
import { linear } from './linear';
import { linearInputGradient } from './linearInputGradient';
import { linearRow } from './linearRow';
import { maskChannels } from './maskChannels';
import { rmsnorm } from './rmsnorm';
import { rmsnormBackward } from './rmsnormBackward';
import { rmsnormSalience, summedSalience } from './rmsnormSalience';
import { rope } from './rope';
import { geglu, swiglu } from './swiglu';
import { gegluBackward, swigluBackward } from './swigluBackward';
import { offeredTiles, pickTile, type TileName, tileCode, tileOf, tiles } from './tile';
import { lineSalience, weightSalience } from './weightSalience';

const dtypes: StoredDtype[] = ['F32', 'F16', 'BF16'];
const tileNames = Object.keys(tiles) as TileName[];
const backTileNames = Object.keys(backTiles) as BackTileName[];
const kernels: Kernel[] = [
  rmsnorm(),
  rmsnorm(1),
  addNormalized(),
  rope,
  attention(16),
  attention(24),
  attention(6),
  adamw,
  squareSum,
  ...adapterKernels,
  addLines,
  attention(16, true),
  attention(24, true),
  attention(6, true),
  attention(16, true, 50),
  bias,
  cacheAppend,
  cacheScores(16),
  cacheScores(6, 50),
  cacheMix(16),
  cacheMix(6),
  cacheCombine,
  channelMoments,
  combineDivergence,
  combinePartials,
  cosineRows,
  ...Object.values(attentionBackward(16)),
  ...Object.values(attentionBackward(24)),
  ...Object.values(attentionBackward(6)),
  ...Object.values(attentionBackward(16, true)),
  ...Object.values(attentionBackward(16, false, 50)),
  embeddingGradient,
  foldPairs,
  gated,
  gatedGelu,
  headNorm(),
  headNormBackward(1),
  headNormGradient,
  maskChannels,
  rmsnormBackward(),
  rmsnormSalience,
  summedSalience,
  swigluBackward,
  gegluBackward,
  ...dtypes.flatMap((dtype) => [
    absoluteSum[dtype],
    merge(dtype),
    columnSums[dtype],
    embedding[dtype],
    linearRow(dtype, 16, true),
    linearRow(dtype, 7, false),
    ...tileNames.flatMap((tile) => [
      linear(dtype, tile),
      swiglu(dtype, tile),
      geglu(dtype, tile),
      headPartials(dtype, tile),
      divergencePartials(dtype, tile),
      headGradient(dtype, tile),
      ...[headPartials, divergencePartials, headGradient].map((kernel) => kernel(dtype, tile, 30)),
    ]),
    ...backTileNames.flatMap((tile) => [
      linearInputGradient(dtype, tile),
      weightSalience(dtype, tile),
      lineSalience.rows(dtype, tile),
      lineSalience.columns(dtype, tile),
    ]),
  ]),
];

describe.each(kernels.map((kernel) => [kernel.name, kernel] as const))('%s', (_, kernel) => {
  test('its parameters are the fields of the struct, in order', () => {
    const struct = /struct Params \{([^}]*)\}/.exec(kernel.code)?.[1] ?? '';
    const fields = [...struct.matchAll(/^\s*(\w+): (\w+),/gm)].map(([, name, type]) => [name, type]);
    expect(fields).toEqual(Object.entries(kernel.params));
  });

  test('its buffers are the bindings of group 0, inputs first, with the access that they declare', () => {
    const bindings = [...kernel.code.matchAll(/@group\(0\) @binding\((\d)\) var<storage, (read|read_write)> (\w+):/g)]
      .map(([, index, access, name]) => ({ index: Number(index), name, access: access === 'read' ? 'read' : 'write' }))
      .sort((a, b) => a.index - b.index);
    expect(bindings.map(({ index }) => index)).toEqual(bindings.map((_, index) => index));
    expect(bindings.map(({ name, access }) => [name, access])).toEqual(Object.entries(kernel.buffers));
  });

  test('no line waits to be included', () => {
    expect(kernel.code).not.toContain('// include');
  });

  test('its constants are overrides of the code', () => {
    for (const name of Object.keys(kernel.constants)) expect(kernel.code).toContain(`override ${name} =`);
  });
});

test('a record is made once: pipelines are cached by its identity', () => {
  expect(linear('F16', '16x8')).toBe(linear('F16', '16x8'));
  expect(attentionBackward(32)).toBe(attentionBackward(64));
  expect(attentionBackward(16)).not.toBe(attentionBackward(64));
  expect(attentionBackward(16, true)).not.toBe(attentionBackward(16));
  expect(attentionBackward(32, true)).toBe(attentionBackward(64, true));
  expect(attention(16, true, 50)).toBe(attention(16, true, 50));
  expect(attention(16, true, 50)).not.toBe(attention(16, true));
  expect(attentionBackward(16, false, 50)).not.toBe(attentionBackward(16));
  expect(headPartials('F16', '16x8', 30)).toBe(headPartials('F16', '16x8', 30));
  expect(headPartials('F16', '16x8', 0)).toBe(headPartials('F16', '16x8'));
  expect(headPartials('F16', '16x8', 30)).not.toBe(headPartials('F16', '16x8'));
  expect(rmsnorm(0)).toBe(rmsnorm());
  expect(rmsnorm(1)).not.toBe(rmsnorm());
  expect(linear('F16', '16x8')).not.toBe(linear('F16', '4x8'));
});

test('the constants of a tile are those of its WGSL', () => {
  for (const name of tileNames) {
    const { rows, cols, group, byFour } = tileOf(name);
    const code = tileCode('F32', name);
    expect(code).toContain(`const GROUP_COLS = ${group[0]}u;`);
    expect(code).toContain(`const GROUP_ROWS = ${group[1]}u;`);
    expect(tileOf(name).code.includes('load_weight4')).toBe(byFour);
    expect(code).toContain(`const TILE_ROWS = ${rows}u;`);
    expect(code).toContain(`const TILE_HALF = ${cols / 2}u;`);
  }
  for (const name of backTileNames) {
    const { matmul, gradient, rows, cols, group, byFour } = backTiles[name];
    for (const text of [matmul, gradient]) {
      expect(text).toContain(`const TILE_ROWS = ${rows}u;`);
      expect(text).toContain(`const TILE_COLS = ${cols}u;`);
      expect(text).toContain(`const GROUP_COLS = ${group[0]}u;`);
      expect(text).toContain(`const GROUP_ROWS = ${group[1]}u;`);
      expect(text.includes('load_weight4')).toBe(byFour);
    }
  }
});

test('a tile is offered only where its feature is, its reads fit, and its precision is wanted', () => {
  expect(offeredTiles([], 64)).toEqual(['4x8', '16x8', 'any', 'workgroup']);
  expect(offeredTiles(['subgroups', 'shader-f16'], 64)).toEqual(['4x8', '16x8', 'any', 'workgroup', 'subgroup']);
  expect(offeredTiles(['shader-f16'], 64, true)).toContain('f16');
  expect(offeredTiles([], 64, true)).not.toContain('f16');
  expect(offeredTiles(['subgroups', 'shader-f16'], 65, true)).toEqual(['any']);
  expect(offeredBackTiles(true, true)).toEqual(['4x8', '16x8', '16x16', 'any']);
  expect(offeredBackTiles(true, false)).toEqual(['4x8', '16x8', 'any']);
  expect(offeredBackTiles(false, true)).toEqual(['any']);
});

test('the tile reads by four only where four divides the inner size', () => {
  expect(pickTile(65, true)).toBe('any');
  expect(pickTile(172, true)).toBe('16x8');
  expect(pickTile(172, false)).toBe('4x8');
  expect(pickBackTile([172, 42], true)).toBe('any');
  expect(pickBackTile([172, 44], true)).toBe('16x16');
  expect(pickBackTile([172, 44], false)).toBe('4x8');
});
