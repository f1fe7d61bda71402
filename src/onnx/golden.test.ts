/** @file Graphs of the golden checkpoints on onnxruntime-node, against PyTorch's numbers and the float64 model. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { longTier } from '../engine/testing/harness';
import { readModel, type TestModel } from '../engine/testing/testWeights';
import type { LayerShape } from '../model/shape';
import { logSumExp } from '../numerics/crossEntropy';
import { modelLogits } from '../numerics/model';
import { buildGraph } from './graph';
import { openGraph } from './testing/runGraph';

interface Golden {
  calibration_token_ids: number[][];
  base_ppl: number;
  ppl: number[];
  ppl_attention: number[];
  ppl_mlp: number[];
  greedy: { prompt_ids: number[]; next_ids: number[] };
}

const fixtures = fileURLToPath(new URL('../../tools/golden/fixtures/', import.meta.url));

/** Perplexity of the model with these layers, all sequences in one run. */
async function perplexity(
  { shape, weights }: TestModel,
  layers: readonly LayerShape[],
  sequences: readonly number[][],
) {
  const variant = { ...shape, layers };
  const running = await openGraph(buildGraph(variant, weights, { maxPositions: 64 }), variant);
  const logits = await running.step(sequences);
  let sum = 0;
  let count = 0;
  sequences.flat().forEach((_, row, all) => {
    if ((row + 1) % sequences[0]!.length === 0) return; // nothing follows a sequence's last token
    const values = logits.subarray(row * shape.vocab, (row + 1) * shape.vocab);
    sum += logSumExp(values) - values[all[row + 1]!]!;
    count += 1;
  });
  return Math.exp(sum / count);
}

const some = ['tiny-a', 'tiny-llama3', 'tiny-qwen3', 'tiny-gemma3', 'tiny-olmo2', 'tiny-biases'];
const more = ['tiny-b', 'tiny-c', 'tiny-mistral', 'tiny-qwen2', 'tiny-gemma', 'tiny-gemma2'];
describe.each(longTier ? [...some, ...more] : some)('%s', (name) => {
  const model = readModel(fixtures + name);
  const { shape } = model;
  const golden = JSON.parse(readFileSync(`${fixtures}${name}/golden.json`, 'utf8')) as Golden;
  const sequences = golden.calibration_token_ids;

  test('perplexity of the whole model and without each block, attention and MLP', async () => {
    const near = async (layers: readonly LayerShape[], expected: number) => {
      const got = await perplexity(model, layers, sequences);
      expect(Math.abs(got / expected - 1), `expected ${expected}, got ${got}`).toBeLessThan(1e-5);
    };
    await near(shape.layers, golden.base_ppl);
    for (const [cut] of shape.layers.entries()) {
      const without = (change: (layer: LayerShape) => LayerShape[]) =>
        shape.layers.flatMap((layer, index) => (index === cut ? change(layer) : [layer]));
      await near(
        without(() => []),
        golden.ppl[cut]!,
      );
      await near(
        without((layer) => [{ ...layer, heads: 0, kvHeads: 0 }]),
        golden.ppl_attention[cut]!,
      );
      await near(
        without((layer) => [{ ...layer, ffn: 0 }]),
        golden.ppl_mlp[cut]!,
      );
    }
  });

  test("PyTorch's greedy text, token by token with a cache", async () => {
    const { prompt_ids: prompt, next_ids: expected } = golden.greedy;
    const running = await openGraph(buildGraph(shape, model.weights, { maxPositions: 64 }), shape);
    const text: number[] = [];
    for (let news = prompt; text.length < expected.length; news = text.slice(-1)) {
      const logits = await running.step([news], [news.length - 1]);
      text.push(logits.reduce((best, value, id) => (value > logits[best]! ? id : best), 0));
    }
    expect(text).toEqual(expected);
  });

  test('token by token with a cache, far beyond any window, the logits are those of the full pass', async () => {
    const tokens = sequences[0]!.slice(0, 48);
    const want = modelLogits(shape, model.reference, tokens);
    const scale = want.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    const running = await openGraph(buildGraph(shape, model.weights, { maxPositions: 64 }), shape);
    for (let at = 0; at < tokens.length; ) {
      const count = at === 0 ? 4 : 1;
      const logits = await running.step([tokens.slice(at, at + count)], [count - 1]);
      at += count;
      const row = want.subarray((at - 1) * shape.vocab, at * shape.vocab);
      const worst = row.reduce((most, value, id) => Math.max(most, Math.abs(value - logits[id]!)), 0);
      expect(worst / scale, `after ${at} tokens`).toBeLessThan(1e-5);
    }
  });
});
