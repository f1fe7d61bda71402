/**
 * @file The demo model is what the page promises: near the floor of its grammar, fluent in what it predicts, and with
 * blocks that matter and blocks that hardly do.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../engine/engine';
import type { GpuContext } from '../../engine/gpu/device';
import { longTier, sharedTestDevice } from '../../engine/testing/harness';
import { readModel } from '../../engine/testing/testWeights';
import { sequencesFromText } from '../../text/corpus';
import { openTokenizer } from '../../text/tokenizer';

const folder = 'public/demo';
const read = (name: string): string => readFileSync(`${folder}/${name}`, 'utf8');
const card = JSON.parse(read('card.json')) as {
  floorPerplexity: number;
  ablation: { withoutBlock: number[] };
};

let context: GpuContext;
let engine: Engine;
let sequences: number[][];
/** Perplexity of all blocks on these sequences. */
let whole: number;

beforeAll(async () => {
  context = await sharedTestDevice();
  const model = readModel(folder);
  engine = await Engine.create(context, model);
  const tokenizer = openTokenizer(
    JSON.parse(read('tokenizer.json')),
    JSON.parse(read('tokenizer_config.json')),
    model.shape.vocab,
  );
  const request = { protocol: 'evaluation', kind: 'stories', seqLen: 128, samples: longTier ? 12 : 4 } as const;
  sequences = await sequencesFromText(tokenizer, read('evaluation.txt'), request);
  whole = await perplexity();
});
afterAll(() => {
  engine.dispose();
});

async function perplexity(removed: readonly number[] = []): Promise<number> {
  const layers = engine.shape.layers.filter((_, index) => !removed.includes(index));
  const { sumNll, tokens } = await engine.score(layers, sequences);
  return Math.exp(sumNll.reduce((a, b) => a + b, 0) / tokens);
}

test('held-out perplexity is within 15 % of what any model could reach', async () => {
  expect(whole).toBeGreaterThan(card.floorPerplexity * 0.95);
  expect(whole).toBeLessThan(card.floorPerplexity * 1.15);
});

/** Blocks by the loss or the perplexity without them: those that matter least come first. */
const order = (without: readonly number[]): number[] =>
  without.map((_, index) => index).sort((a, b) => without[a]! - without[b]!);

test('the two blocks that matter least cost little, the one that matters most a lot', async () => {
  const said = order(card.ablation.withoutBlock);
  expect(await perplexity(said.slice(0, 2))).toBeLessThan(whole * 1.15);
  expect(await perplexity(said.slice(-1))).toBeGreaterThan(whole * 2);
});

test.runIf(longTier)('a sweep finds the blocks that the card names', async () => {
  const removals = engine.shape.layers.map((_, layer) => ({ layer, kind: 'block' as const }));
  const losses = await engine.removalSweep(sequences, removals);
  const found = order(losses);
  const said = order(card.ablation.withoutBlock);
  expect(found.slice(-3)).toEqual(said.slice(-3));
  for (const block of found.slice(0, 2)) expect(said.slice(0, 5)).toContain(block);
});
