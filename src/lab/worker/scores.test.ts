/** @file One combined pass becomes the scores of every criterion that it serves. */
import { expect, test } from 'vitest';
import type { TaylorLayer } from '../../engine/measure/taylor';
import type { EngineHandle } from './gpu';
import { combinedScores, scoresKey } from './scores';

const layer = (total: number): TaylorLayer => ({ attention: 1, mlp: total - 1, total, roles: {}, gradientNorms: {} });
const right = Float32Array.of(1, 0);
const up = Float32Array.of(0, 1);

function handleOf(layers: number): EngineHandle {
  return {
    engine: {
      shape: { layers: Array.from({ length: layers }) },
      memory: () => ({ peakBytes: 77, liveBytes: 0, resetPeak: () => undefined }),
      combinedPass: async () => ({
        taylor: { layers: [layer(5), layer(3)], finalNormGradient: 1, vocabulary: {} },
        statistics: { influence: [0.25, 0.5], lastTokens: [[right, up, right]] },
        magnitudes: [20, 10],
      }),
    },
    label: { adapter: 'test', software: true, runtime: 'WGSL engine' },
  } as unknown as EngineHandle;
}
const info = { corpus: 'tokenIds', samples: 1, seqLen: 3, seed: 1, tokens: 3, hash: 'h' };
const calibration = { sequences: [[1, 2, 3]], info };

test('each criterion finds its own numbers in the combined pass', async () => {
  const { blocks: found, width } = await combinedScores(handleOf(2), calibration, {}, {});
  expect(width).toEqual({});
  expect(Object.keys(found).sort()).toEqual(['angular', 'block-influence', 'magnitude', 'taylor']);
  expect(found.taylor).toMatchObject({ scores: [5, 3], order: [1, 0], unit: 'block', window: 1, peakGpuBytes: 77 });
  expect(found['block-influence']).toMatchObject({ scores: [0.25, 0.5], order: [0, 1], calibration: info });
  expect(found.angular!.scores).toEqual([0.5, 0.5]);
  expect(found.magnitude).toMatchObject({ scores: [20, 10], order: [1, 0], protected: [] });
});

test('a run of blocks is for the angular distance alone; the + rule is for all', async () => {
  const { blocks: found } = await combinedScores(handleOf(2), calibration, { window: 2, plus: true }, {});
  expect(found.angular).toMatchObject({ scores: [0], window: 2, order: [] });
  expect(found.taylor).toMatchObject({ window: 1, protected: [0, 1], order: [] });
});

test('heads and neurons come along where they are asked for', async () => {
  const channels = { qProj: [1], kProj: [1], vProj: [1], oProj: [1], gateProj: [2], upProj: [2], downProj: [2] };
  const lines = Object.fromEntries(Object.entries(channels).map(([role, values]) => [role, Float32Array.from(values)]));
  const columns = { absolute: Float64Array.of(6), squares: Float64Array.of(9), rows: 2 };
  const half = { mean: Float64Array.of(1), deviations: Float64Array.of(1), columns };
  const asked: unknown[] = [];
  const handle = handleOf(1);
  Object.assign(handle.engine, {
    shape: { layers: [{ source: 0, heads: 1, kvHeads: 1, headDim: 1, ffn: 1 }] },
    combinedPass: async (_: unknown, options: unknown) => {
      asked.push(options);
      return {
        taylor: { layers: [{ ...layer(5), channels: lines }], finalNormGradient: 1, vocabulary: {} },
        statistics: { influence: [0.25], lastTokens: [[right, up]] },
        magnitudes: [20],
        width: { samples: 1, tokens: 3, layers: [{ attention: half, mlp: half }] },
      };
    },
  });
  const { width } = await combinedScores(handle, calibration, { width: true }, {});
  expect(asked).toEqual([{ width: true }]);
  expect(Object.keys(width).sort()).toEqual(['flap', 'llm-pruner', 'magnitude-sp', 'wanda-sp']);
  const how = { calibration: info, peakGpuBytes: 77, device: handle.label };
  expect(width['wanda-sp']).toMatchObject({ heads: [[6]], neurons: [[6]], headUnit: 'head', ...how });
  expect(width['llm-pruner']).toMatchObject({ heads: [[4]], neurons: [[6]], headUnit: 'kvGroup', ...how });
  expect(width['magnitude-sp']).toMatchObject({ method: 'magnitude-sp', heads: [[3]], neurons: [[3]] });
  expect(width.flap).toMatchObject({ heads: [[0]], neurons: [[0]] });
});

test('the key of a measurement tells what changes its result, and nothing else', () => {
  expect(scoresKey('taylor', {})).toBe(scoresKey('taylor', { unit: 'block', window: 1, plus: false }));
  expect(scoresKey('taylor', {})).not.toBe(scoresKey('taylor', { plus: true }));
  const barriers = { first: 1, last: 2 };
  expect(scoresKey('sleb', { barriers })).toBe(scoresKey('sleb', { barriers: { last: 2, first: 1 } }));
  expect(scoresKey('sleb', { barriers })).not.toBe(scoresKey('sleb', {}));
  expect(scoresKey('evopress', { tokens: [1, 2] })).not.toBe(scoresKey('evopress', { tokens: [1, 3] }));
});
