/** @file Models with windows, biases, norms of heads and outputs, and GELU through the laboratory: every criterion says PyTorch's numbers. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { longTier } from '../../engine/testing/harness';
import '../../engine/testing/allclose';
import type { Criterion } from '../../importance/methods';
import type { PruningPlan } from '../../pruning/plan';
import type { ImportanceOptions } from '../contract/types';
import type { Session } from './session';
import { goldenOf, inNode, sessionWith } from './testing/nodeSession';

interface Golden {
  calibration_token_ids: number[][];
  base_ppl: number;
  ppl: number[];
  ppl_attention: number[];
  ppl_mlp: number[];
  block_influence: number[];
  angular: Record<string, number[]>;
  magnitude: number[];
  taylor: number[];
  sleb: { removed: number[]; ppl: number[] };
}

inNode({ ort: false });

const near = { rtol: 1e-4, atol: 0 };

const names = ['tiny-gemma3', 'tiny-biases'];

// Mistral and Qwen2 add nothing that the others lack: their windows are those of Gemma 3, Qwen2's biases those of tiny-biases.
describe.each(longTier ? [...names, 'tiny-qwen3', 'tiny-mistral', 'tiny-qwen2'] : names)('%s', (name) => {
  const folder = `tools/golden/fixtures/${name}`;
  const golden = goldenOf<Golden>(name);
  const tokenIds = golden.calibration_token_ids;
  let session: Session;
  beforeAll(async () => {
    session = await sessionWith(name, { tokenIds });
  });

  test('a pass of its own for each criterion', async () => {
    const scores = async (criterion: Criterion, options: ImportanceOptions = {}) =>
      (await session.importance({}, criterion, options)).scores;
    expect(await scores('ppl')).toBeAllclose(golden.ppl, near);
    expect(await scores('ppl', { unit: 'attention' })).toBeAllclose(golden.ppl_attention, near);
    expect(await scores('ppl', { unit: 'mlp' })).toBeAllclose(golden.ppl_mlp, near);
    expect(await scores('taylor')).toBeAllclose(golden.taylor, near);
    expect(await scores('block-influence')).toBeAllclose(golden.block_influence, near);
    expect(await scores('angular', { window: 2 })).toBeAllclose(golden.angular['2']!, near);
    expect(await scores('magnitude')).toBeAllclose(golden.magnitude, near);
  });

  test('one pass for four of them', async () => {
    const found = await session.survey({}, {});
    expect(found.taylor!.scores).toBeAllclose(golden.taylor, near);
    expect(found['block-influence']!.scores).toBeAllclose(golden.block_influence, near);
    expect(found.angular!.scores).toBeAllclose(golden.angular['1']!, near);
    expect(found.magnitude!.scores).toBeAllclose(golden.magnitude, near);
  });

  test('searches', async () => {
    const { removed, ppl } = golden.sleb;
    const sleb = await session.importance({}, 'sleb', { count: removed.length });
    expect(sleb.order).toEqual(removed);
    expect(sleb.steps!.map(({ perplexity }) => perplexity)).toBeAllclose(ppl, near);
    const evopress = await session.importance({}, 'evopress', { count: 1, unit: 'half', generations: 2 });
    const [half] = evopress.order as [number];
    const without = half % 2 === 0 ? golden.ppl_attention : golden.ppl_mlp;
    expect(evopress.evolution!.perplexity / without[Math.floor(half / 2)]!).toBeCloseTo(1, 4);
  });

  test('plans by width methods: scores are measured once for all ratios, and the plan tells its rule', async () => {
    const flap = await session.plan({}, { width: 'flap', ratio: 0.1 });
    expect(flap).toMatchObject({ repair: 'flap-bias', rule: { method: 'flap', ratio: 0.1 } });
    const measured = (await session.report({})).widthScores;
    expect(measured.map(({ method }) => method)).toEqual(['flap']);
    expect(await session.plan({}, { width: 'flap', ratio: 0.2 })).not.toEqual(flap);
    expect((await session.report({})).widthScores).toEqual(measured);
    const cuts = JSON.parse(readFileSync(`${folder}/cuts.json`, 'utf8')) as Record<string, PruningPlan>;
    const wanda = await session.plan({}, { width: 'wanda-sp', ratio: 0.5, asPublished: true });
    expect(wanda.keepHeads).toEqual(cuts['wanda-sp-sequential 0.5']!.keepHeads);
    expect(wanda.keepNeurons).toEqual(cuts['wanda-sp-sequential 0.5']!.keepNeurons);
    expect(wanda.rule).toEqual({ method: 'wanda-sp', ratio: 0.5, asPublished: true, sequential: true });
    const { name: called, ratio } = await session.variant({}, flap, { repair: 'none' });
    expect(called).toMatch(/^FLAP: without .*neurons/);
    expect(ratio).toBeCloseTo(0.1, 2);
  });

  test('a variant: its layers keep what is theirs', async () => {
    const { perplexity } = await session.perplexity({}, 'base', { tokenIds });
    expect(perplexity / golden.base_ppl).toBeCloseTo(1, 4);
    const { id, shape } = await session.variant({}, await session.plan({}, { blocks: [1] }), {});
    expect(shape.layers.map(({ source }) => source)).not.toContain(1);
    const cut = await session.perplexity({}, id, { tokenIds });
    expect(cut.perplexity / golden.ppl[1]!).toBeCloseTo(1, 4);
  });
});
