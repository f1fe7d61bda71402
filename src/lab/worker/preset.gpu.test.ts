/** @file The preset experiment shows the paper's finding: four trainings of the demo model through the laboratory, in the long tier. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { longTier } from '../../engine/testing/harness';
import { presetExperiment } from '../../retrain/preset';
import { sequencesFromText } from '../../text/corpus';
import { openTokenizer } from '../../text/tokenizer';
import { Session } from './session';
import { inNode } from './testing/nodeSession';

const folder = 'public/demo';
const read = (name: string): string => readFileSync(`${folder}/${name}`, 'utf8');

inNode({ ort: false });

/** The rows of a built-in text as the page makes them. */
async function rowsOf(name: string): Promise<number[][]> {
  const { vocab_size: vocab } = JSON.parse(read('config.json')) as { vocab_size: number };
  const tokenizer = openTokenizer(JSON.parse(read('tokenizer.json')), JSON.parse(read('tokenizer_config.json')), vocab);
  const { seqLen } = presetExperiment.setting;
  return sequencesFromText(tokenizer, read(`${name}.txt`), { protocol: 'evaluation', kind: 'stories', seqLen });
}

test.runIf(longTier)(
  'LoRA suffices at the mild ratio, continued pretraining wins at the severe one',
  async () => {
    const { criterion, cuts, trainings, setting, evaluation } = presetExperiment;
    const { seqLen: _, seed: __, rank, alpha, ...shared } = setting;
    const files = readdirSync(folder).filter((name) => !name.endsWith('.txt') && name !== 'card.json');
    const session = new Session(async () => undefined);
    await session.load(
      {},
      files.map((name) => new File([readFileSync(`${folder}/${name}`)], name)),
      {},
    );
    const tokenIds = await rowsOf('calibration');
    const heldOut = { tokenIds: (await rowsOf(evaluation.corpus)).slice(0, evaluation.samples) };
    await session.calibrate({}, { tokenIds: tokenIds.slice(0, 10) });
    await session.importance({}, criterion, {});
    const base = (await session.perplexity({}, 'base', heldOut)).perplexity;
    const seen: { name: string; method: string; blocks: string; before: number; after: number; recovered: number }[] =
      [];
    for (const { name, count } of cuts) {
      const plan = await session.plan({}, { criterion, count });
      const { id } = await session.variant({}, plan, {});
      for (const { method, learningRate } of trainings.filter((each) => each.method !== 'full+lora')) {
        const request = { ...shared, method, learningRate, tokenIds, evaluation: heldOut, evaluateEvery: shared.steps };
        const factors = method === 'lora' ? { rank, alpha } : {};
        const { evaluations } = await session.retrain({}, id, { ...request, ...factors });
        const [before, after] = [evaluations[0]!.perplexity, evaluations.at(-1)!.perplexity];
        const recovered = Math.log(before / after) / Math.log(before / base);
        seen.push({ name, method, blocks: plan.removeBlocks.join(' '), before, after, recovered });
      }
    }
    console.table(seen);
    const of = (name: string, method: string) => seen.find((each) => each.name === name && each.method === method)!;
    expect(of('mild', 'lora').recovered).toBeGreaterThan(0.8);
    expect(of('mild', 'lora').after).toBeLessThan(1.02 * of('mild', 'full').after);
    expect(of('severe', 'full').after).toBeLessThan(0.97 * of('severe', 'lora').after);
  },
  3_600_000,
);
