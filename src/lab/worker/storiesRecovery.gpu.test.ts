/**
 * @file A short training of a published model without one of its blocks, through the laboratory: LoRA and full training win back
 * most of the lost perplexity on stories that they did not see. In the long tier, where the shared references are.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { longTier } from '../../engine/testing/harness';
import { emptyPlan } from '../../pruning/plan';
import { sequencesFromText } from '../../text/corpus';
import { openTokenizer } from '../../text/tokenizer';
import { Session } from './session';
import { inNode } from './testing/nodeSession';

const folder = '../shared/models/stories260K';
const stories = '../shared/text/tinystories-valid-excerpt.txt';
const here = existsSync(folder) && existsSync(stories);
const heldOutRows = 32;

inNode({ ort: false });

/** Rows of 128 tokens, the last ones for the evaluation. */
async function rows(): Promise<{ tokenIds: number[][]; heldOut: number[][] }> {
  const json = (name: string): unknown => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));
  const { vocab_size: vocab } = json('config.json') as { vocab_size: number };
  const tokenizer = openTokenizer(json('tokenizer.json'), json('tokenizer_config.json'), vocab);
  const text = readFileSync(stories, 'utf8');
  const all = await sequencesFromText(tokenizer, text, { protocol: 'evaluation', kind: 'stories', seqLen: 128 });
  return { tokenIds: all.slice(0, -heldOutRows), heldOut: all.slice(-heldOutRows) };
}

test.runIf(longTier && here).each([
  ['lora', { learningRate: 3e-3, rank: 8, alpha: 16 }],
  ['full', { learningRate: 1e-3 }],
] as const)(
  '%s wins back most of what the model without block 3 has lost',
  async (method, setting) => {
    const session = new Session(async () => undefined);
    const files = readdirSync(folder).map((name) => new File([readFileSync(`${folder}/${name}`)], name));
    const { id: model } = await session.load({}, files, {});
    const { tokenIds, heldOut } = await rows();
    const evaluation = { tokenIds: heldOut };
    const base = (await session.perplexity({}, 'base', evaluation)).perplexity;
    const { id } = await session.variant({}, { ...emptyPlan(model), removeBlocks: [3] }, {});
    const { evaluations } = await session.retrain({}, id, {
      ...{ method, ...setting, steps: 100, batch: 4, warmup: 5, schedule: 'cosine' },
      ...{ tokenIds, evaluation, evaluateEvery: 50 },
    });
    const [before, after] = [evaluations[0]!.perplexity, evaluations.at(-1)!.perplexity];
    console.log(`${method}: ${before.toFixed(3)} → ${after.toFixed(3)}, the base has ${base.toFixed(3)}`);
    expect(before).toBeGreaterThan(2 * base);
    expect((before - after) / (before - base)).toBeGreaterThan(0.5);
  },
  1_800_000,
);
