/** @file One survey becomes the scores of every criterion that it serves. */
import { expect, test } from 'vitest';
import type { TaylorLayer } from '../engine/taylor';
import type { EngineHandle } from './gpu';
import { scoresKey, surveyScores } from './scores';

const layer = (total: number): TaylorLayer => ({ attention: 1, mlp: total - 1, total, roles: {}, gradientNorms: {} });
const right = Float32Array.of(1, 0);
const up = Float32Array.of(0, 1);

function handleOf(layers: number): EngineHandle {
  return {
    engine: {
      shape: { layers: Array.from({ length: layers }) },
      memory: () => ({ peakBytes: 77, liveBytes: 0, resetPeak: () => undefined }),
      survey: async () => ({
        taylor: { layers: [layer(5), layer(3)], finalNormGradient: 1, vocabulary: {} },
        statistics: { influence: [0.25, 0.5], lastTokens: [[right, up, right]] },
        magnitudes: [20, 10],
      }),
    },
    label: { adapter: 'test', software: true, runtime: 'WGSL engine' },
  } as unknown as EngineHandle;
}
const info = { corpus: 'tokenIds', samples: 1, seqLen: 3, seed: 1, tokens: 3, hash: 'h' };
const calibration = { windows: [[1, 2, 3]], info };

test('each criterion finds its own numbers in the survey', async () => {
  const { blocks: found, width } = await surveyScores(handleOf(2), calibration, {}, {});
  expect(width).toEqual({});
  expect(Object.keys(found).sort()).toEqual(['angular', 'block-influence', 'magnitude', 'taylor']);
  expect(found.taylor).toMatchObject({ scores: [5, 3], order: [1, 0], unit: 'block', window: 1, peakGpuBytes: 77 });
  expect(found['block-influence']).toMatchObject({ scores: [0.25, 0.5], order: [0, 1], calibration: info });
  expect(found.angular!.scores).toEqual([0.5, 0.5]);
  expect(found.magnitude).toMatchObject({ scores: [20, 10], order: [1, 0], protected: [] });
});

test('a run of blocks is for the angular distance alone; the + rule is for all', async () => {
  const { blocks: found } = await surveyScores(handleOf(2), calibration, { window: 2, plus: true }, {});
  expect(found.angular).toMatchObject({ scores: [0], window: 2, order: [] });
  expect(found.taylor).toMatchObject({ window: 1, protected: [0, 1], order: [] });
});

test('the key of a measurement tells what changes its result, and nothing else', () => {
  expect(scoresKey('taylor', {})).toBe(scoresKey('taylor', { unit: 'block', window: 1, plus: false }));
  expect(scoresKey('taylor', {})).not.toBe(scoresKey('taylor', { plus: true }));
  const barriers = { first: 1, last: 2 };
  expect(scoresKey('sleb', { barriers })).toBe(scoresKey('sleb', { barriers: { last: 2, first: 1 } }));
  expect(scoresKey('sleb', { barriers })).not.toBe(scoresKey('sleb', {}));
  expect(scoresKey('evopress', { tokens: [1, 2] })).not.toBe(scoresKey('evopress', { tokens: [1, 3] }));
});
