/** @file The words of a report: its finding, its recipes, its protocol, its addresses. */
import { expect, test } from 'vitest';
import { stateOfRecord } from '../../lab/page/recordState';
import type { ModelInfo } from '../../report/facts';
import type { ModelRecord } from '../../report/record';
import type { Scores } from '../../report/scores';
import { syntheticComparison } from '../../report/testing/syntheticComparison';
import { askedRows } from '../../report/testing/taskRows';
import { embedOf, wholeAddress } from './embedding';
import { headlineOf } from './headline';
import { laboratoryAddress } from './laboratoryAddress';
import { protocolFacts, softwareAdapters } from './protocolFacts';
import { recipeWords } from './recipeWords';
import { dateText, reportTitle } from './titles';

const layers = Array.from({ length: 12 }, (_, source) => ({ source, heads: 8, kvHeads: 4, headDim: 16, ffn: 352 }));
const shape = { family: 'llama', vocab: 512, hidden: 128, layers, normEps: 1e-5, ropeTheta: 1e4, maxPositions: 256 };
const model = {
  ...{ id: 'hf:o/n', source: 'o/n@main', revision: 'main', architecture: 'LlamaForCausalLM', dtype: 'F16' },
  ...{ parameters: 2_443_136, notes: [], shape: { ...shape, tiedHead: true } },
} as unknown as ModelInfo;

const record = (more: Partial<ModelRecord> = {}, software = false): ModelRecord => ({
  ...{ version: 2, created: '2026-11-29T19:55:00.000Z', program: 'Secateur 1', model, device: null, calibration: null },
  ...{ scores: [], widthScores: [], searches: {}, evolution: null },
  comparison: syntheticComparison(model.id, software),
  ...more,
});
const headline = (given: ModelRecord): string | null => headlineOf(stateOfRecord(given));
const rows = (...ids: string[]) => record().comparison.filter(({ variant }) => ids.includes(variant));

const ppl = {
  ...{ criterion: 'ppl', unit: 'block', scores: [3, 2.1, 2.6, ...Array(9).fill(2.5)], reference: 2, window: 1 },
  ...{
    order: [],
    protected: [],
    calibration: { tokens: 1280, corpus: 'calibration', samples: 10, seqLen: 128, seed: 7 },
  },
  device: { adapter: 'x', software: false, runtime: 'WGSL engine' },
} as unknown as Scores;

test('the finding names a side where variants of one size have different ones', () => {
  expect(headline(record())).toBe(
    'With 19.9% to 22.7% of the parameters removed, removing blocks keeps the better perplexity: 1.893 at best, against 1.902 by removing both and 1.838 of the original model.',
  );
});

test('the finding of one variant tells what it costs, and its speed on a real device only', () => {
  const said =
    'Without blocks 1, 2 and 5, the model keeps 77.3% of its parameters, and its perplexity rises from 1.838 to 1.962';
  const speed = '; it runs 1.24 times as fast at batch 1 (95 % interval 1.23 to 1.25).';
  expect(headline(record({ comparison: rows('base', 'v1') }))).toBe(said + speed);
  const emulated = record({}, true).comparison.filter(({ variant }) => ['base', 'v1'].includes(variant));
  expect(headline(record({ comparison: emulated }))).toBe(`${said}.`);
});

test('without comparable variants the finding is about the blocks, and without numbers there is none', () => {
  expect(headline(record({ comparison: [], scores: [ppl] }))).toBe(
    'Block 1 matters least and block 0 most: without block 1, perplexity on 1,280 calibration tokens goes from 2.000 to 2.100.',
  );
  expect(headline(record({ comparison: rows('base') }))).toMatch(/^The original model has a perplexity of 1\.838 on/);
  expect(headline(record({ comparison: [] }))).toBeNull();
});

test('recipes are told step by step', () => {
  const [plain, repaired] = rows('v1', 'v2').map((row) => recipeWords(row, model.shape));
  expect(plain).toEqual(['Pruned: without blocks 1, 2 and 5.']);
  expect(repaired?.[1]).toMatch(
    /^Repaired by ReplaceMe, computed from 10 × 128 tokens of built-in stories \(seed 0, tokens b{16}\)/,
  );
});

test('the protocol tells how every number was measured, and which adapters are emulated', () => {
  const facts = new Map(protocolFacts(record({ scores: [ppl] })).map(({ name, lines }) => [name, lines.join('\n')]));
  expect(facts.get('Scores')).toMatch(/^ppl by WGSL engine on x, 10 × 128 tokens of built-in stories: .*seed 7/);
  expect(facts.get('Times')).toMatch(
    /12 prompt and 64 new tokens, median of 6 runs after 1 warm-ups.*batch 1, 2, 4 and 8\.\nSpeed-ups/,
  );
  expect(softwareAdapters(record())).toEqual([]);
  expect(softwareAdapters(record({}, true))).toEqual(['google swiftshader']);
});

test('titles, dates and addresses', () => {
  expect(reportTitle(record({ title: ' ' }))).toBe('Pruning o/n@main');
  expect(dateText('2026-11-29T19:55:00.000Z')).toBe('29 November 2026, 19:55 UTC');
  expect(dateText('soon')).toBeNull();
  expect(embedOf('?embed=latency')).toBe('latency');
  expect(embedOf('?embed=tasks')).toBe('tasks');
  expect(embedOf('?embed')).toBe('quality');
  expect(embedOf('?model=embed')).toBeNull();
  expect(wholeAddress('https://x.org/a/?embed=quality#s1.abc')).toBe('https://x.org/a/#s1.abc');
  expect(laboratoryAddress(model, 'https://x.org/a/?embed#s1.abc')).toBe('https://x.org/a/?model=o%2Fn%40main');
  expect(laboratoryAddress({ id: 'files:a', source: 'a' }, 'https://x.org/')).toBeNull();
});

test('the protocol tells each task once, with the hash of its questions and the devices', () => {
  const asked = record({ comparison: askedRows(rows('base', 'v1')) });
  const tasks = protocolFacts(asked).find(({ name }) => name === 'Tasks');
  expect(tasks?.lines).toEqual([
    'WGSL engine on a test: 100 questions of story-endings, tokens questions of story-endings; the answer with the largest log-likelihood counts; by length: divided by its characters; ± standard error of the share.',
  ]);
  expect(protocolFacts(record()).some(({ name }) => name === 'Tasks')).toBe(false);
  const emulated = asked.comparison.map((row) => ({
    ...{ ...row, latency: [], perplexity: {} },
    tasks: row.tasks!.map((result) => ({ ...result, device: { ...result.device, software: true } })),
  }));
  expect(softwareAdapters({ ...asked, comparison: emulated })).toEqual(['a test']);
});
