/** @file The engine against PyTorch's float64 numbers: of the families' golden checkpoints, and of a real trained model where it lies beside the project. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cosine } from '../numerics/cosine';
import { modelLogits } from '../numerics/model';
import './testing/allclose';
import { Engine } from './engine';
import type { GpuContext } from './gpu/device';
import { longTier, sharedTestDevice } from './testing/harness';
import { readModel, type TestModel } from './testing/testWeights';

const shared = '../shared/golden/stories260K.json';
const fixtures = fileURLToPath(new URL('../../tools/golden/fixtures/', import.meta.url));

interface Golden {
  base_ppl: number;
  ppl: number[];
  ppl_attention: number[];
  ppl_mlp: number[];
  block_influence: number[];
  angular: Record<string, number[]>;
  magnitude: number[];
  logits_last_8?: number[];
  logits?: { window: number; position: number; values: number[] }[];
  calibration_token_ids: number[][];
  greedy?: { prompt_ids: number[]; next_ids: number[] };
}

interface Case {
  name: string;
  folder: string;
  numbers: string;
  rtol: number;
}

/** Together they have every feature; the others combine them differently. The tests of lab, graph and pruning have the rest. */
const families = ['tiny-a', 'tiny-llama3', 'tiny-qwen3', 'tiny-gemma2', 'tiny-gemma3', 'tiny-olmo2', 'tiny-biases'];
const others = ['tiny-b', 'tiny-c', 'tiny-mistral', 'tiny-qwen2', 'tiny-gemma'];
const cases: Case[] = [
  ...(longTier ? [...families, ...others] : families).map((name) => ({
    name,
    folder: fixtures + name,
    numbers: `${fixtures}${name}/golden.json`,
    rtol: 1e-4,
  })),
  ...(
    [
      ['stories260K', 1e-4],
      ['stories260K-f16-sharded', 1e-3],
    ] as const
  ).map(([name, rtol]) => ({
    name: `${name} (skipped when ../shared is not beside the project)`,
    folder: `../shared/models/${name}`,
    numbers: shared,
    rtol,
  })),
];

const best = (logits: ArrayLike<number>): number =>
  Array.from(logits).reduce((top, value, index, all) => (value > all[top]! ? index : top), 0);

describe.each(cases)('$name against PyTorch', ({ folder, numbers, rtol }) => {
  if (!existsSync(numbers)) {
    test.skip('its numbers are not here');
    return;
  }
  let context: GpuContext;
  let engine: Engine;
  let model: TestModel;
  let golden: Golden;
  beforeAll(async () => {
    context = await sharedTestDevice();
    model = readModel(folder);
    golden = JSON.parse(readFileSync(numbers, 'utf8')) as Golden;
    engine = await Engine.create(context, model);
  });
  afterAll(() => {
    engine.dispose();
  });

  test('perplexity and logits', async () => {
    const { sumNll, tokens } = await engine.score(model.shape.layers, golden.calibration_token_ids);
    const perplexity = Math.exp(sumNll.reduce((a, b) => a + b, 0) / tokens);
    expect([perplexity]).toBeAllclose([golden.base_ppl], { rtol });
    const tokens16 = golden.calibration_token_ids[0]!.slice(0, 16);
    const logits = await engine.logits(model.shape.layers, tokens16, 'last');
    const { shape, reference } = model;
    expect(logits).toBeAllclose(modelLogits(shape, reference, tokens16).slice(-shape.vocab), {
      rtol: 1e-4,
      atol: 1e-4,
    });
    if (golden.logits_last_8) {
      expect(logits.slice(0, 8)).toBeAllclose(golden.logits_last_8, { rtol, atol: 10 * rtol });
    }
    for (const { window: sequence, position, values } of golden.logits ?? []) {
      const text = golden.calibration_token_ids[sequence]!.slice(0, position + 1);
      const ours = await engine.logits(model.shape.layers, text, 'last');
      expect(ours).toBeAllclose(values, { rtol, atol: 10 * rtol });
    }
  });

  test('greedy text, token by token with a cache, beyond any window: each is the float64 model’s likeliest', async () => {
    const { shape, reference } = model;
    const { layers, maxPositions, vocab } = shape;
    for (const cut of [layers, [...layers.slice(0, 1), { ...layers[1]!, heads: 0, kvHeads: 0 }, ...layers.slice(2)]]) {
      const text = golden.calibration_token_ids[0]!.slice(0, 6);
      const positions = Math.min(maxPositions, 26);
      const decoder = engine.decoder(cut, { positions, stepTokens: 5 });
      for (let news: number[] = [...text]; text.length < positions; text.push(...news)) {
        news = [best(await decoder.logits(news))];
      }
      decoder.close();
      if (cut === layers && golden.greedy) expect(text.slice(6)).toEqual(golden.greedy.next_ids);
      const logits = modelLogits({ ...shape, layers: cut }, reference, text);
      for (let at = 6; at < text.length; at++) {
        expect(text[at], `token ${at}`).toBe(best(logits.subarray((at - 1) * vocab, at * vocab)));
      }
    }
  });

  test.runIf(existsSync(shared) && folder.endsWith('stories260K'))('the golden greedy text', async () => {
    const { ids } = JSON.parse(readFileSync(shared, 'utf8')).greedy_from_bos as { ids: number[] };
    const decoder = engine.decoder(model.shape.layers, { positions: ids.length });
    const text = [1];
    while (text.length < ids.length) text.push(best(await decoder.logits(text.slice(-1))));
    decoder.close();
    expect(text).toEqual(ids);
  });

  test('perplexity without each block, attention and MLP', async () => {
    const removals = (['block', 'attention', 'mlp'] as const).flatMap((kind) =>
      model.shape.layers.map((_, layer) => ({ layer, kind })),
    );
    const losses = await engine.removalSweep(golden.calibration_token_ids, removals);
    const expected = [...golden.ppl, ...golden.ppl_attention, ...golden.ppl_mlp];
    expect(losses.map(Math.exp)).toBeAllclose(expected, { rtol });
  });

  test('block influence, angular distance and magnitude', async () => {
    const { influence, lastTokens } = await engine.blockStatistics(golden.calibration_token_ids);
    expect(influence).toBeAllclose(golden.block_influence, { rtol });
    for (const [blocks, expected] of Object.entries(golden.angular)) {
      const n = Number(blocks);
      const distances = expected.map((_, layer) => {
        const angles = lastTokens.map((states) => Math.acos(cosine(states[layer]!, states[layer + n]!)) / Math.PI);
        return angles.reduce((a, b) => a + b, 0) / angles.length;
      });
      expect(distances).toBeAllclose(expected, { rtol });
    }
    expect(await engine.magnitudes()).toBeAllclose(golden.magnitude, { rtol });
  });
});
