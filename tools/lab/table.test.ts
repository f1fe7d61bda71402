import { expect, test } from 'vitest';
import { comparisonTable, conditions, scoresTable, short } from './table.mjs';

test('numbers have four significant digits, and a dash where there is none', () => {
  expect([short(8.914400745), short(12345.6), short(0.000123456), short(undefined), short(Number.NaN)]).toEqual([
    '8.914',
    '12346',
    '0.0001235',
    '–',
    '–',
  ]);
});

test('scores stand under their block, runs of blocks are named', () => {
  const table = scoresTable([
    { criterion: 'ppl', window: 1, scores: [90, 7, 8], order: [1, 2, 0] },
    { criterion: 'angular', window: 2, scores: [0.25, 0.5], order: [0, 1] },
  ]);
  expect(table.split('\n')).toEqual([
    'criterion              0    1  2  remove first',
    'ppl                   90    7  8         1 2 0',
    'angular (2 blocks)  0.25  0.5  –           0 1',
  ]);
});

test('a variant has one row with its sizes, perplexities and times', () => {
  const plan = { removeBlocks: [5, 6], removeAttention: [], removeMlp: [1] };
  const row = {
    name: 'by ppl',
    plan,
    parameters: 1000,
    ratio: 0.2,
    perplexity: { wgsl: { perplexity: 9.5 } },
    latency: [{ prefillMs: 3, decodeMsPerToken: 1.25, latencyMs: 160, spread: 2, throughput: 800 }],
  };
  const [, line] = comparisonTable([row]).split('\n');
  expect(line?.split(/ {2,}/)).toEqual([
    'by ppl',
    '5 6, mlp 1',
    '1000',
    '20.0',
    '9.5',
    '–',
    '–',
    '3',
    '1.25',
    '160',
    '2',
    '800',
    '–',
  ]);
});

test('a speed-up comes with its interval; one that includes 1 is marked, and so is one that was not measured in turns', () => {
  const speedUps = [
    { ratio: 1.314, low: 1.271, high: 1.358, against: 'base', inTurns: true },
    { ratio: 1.02, low: 0.95, high: 1.1, against: 'base', inTurns: false },
    { ratio: 2, low: 1.9, high: 2.1, against: 'v7', inTurns: true },
  ];
  const row = (speedUp: object) => ({
    name: 'v',
    plan,
    parameters: 1,
    ratio: 0,
    perplexity: {},
    latency: [{ speedUp }],
  });
  const plan = { removeBlocks: [], removeAttention: [], removeMlp: [] };
  const [, ...lines] = comparisonTable(speedUps.map(row)).split('\n');
  expect(lines.map((line: string) => line.split(/ {2,}/).at(-1))).toEqual([
    '1.31 (1.27 to 1.36)',
    '= 1.02 (0.95 to 1.10) ‡',
    '–',
  ]);
});

test('a perplexity beyond the largest number is said to be that', () => {
  const plan = { removeBlocks: [], removeAttention: [], removeMlp: [] };
  const row = { name: 'v', plan, parameters: 1, ratio: 0, perplexity: { wgsl: { perplexity: Infinity } }, latency: [] };
  expect(comparisonTable([row]).split('\n')[1]).toContain('∞');
});

test('the conditions say which tokens the numbers come from, each text once', () => {
  const origin = {
    source: 'hf:a/b@c0ffee/raw/test',
    protocol: 'joined',
    start: 'first',
    documents: 30,
    contentHash: 'd00d',
    available: 90,
  };
  const text = { corpus: 'prose', sequences: 16, seqLen: 128, hash: 'beef', origin };
  const row = { latency: [], perplexity: { wgsl: { text }, 'ort-wasm': { text } } };
  const calibration = { corpus: 'calibration', samples: 10, seqLen: 128, seed: 7, hash: 'feed' };
  const model = { source: 'demo', architecture: 'Llama', shape: { layers: [1] }, parameters: 5, dtype: 'F32' };
  const lines = conditions({ model, device: null, calibration, comparison: [row, row] }).split('\n');
  expect(lines.slice(2)).toEqual([
    'calibration  calibration · 10 × 128 tokens · seed 7 · feed',
    "perplexity   prose · 16 of 90 × 128 tokens · beef · hf:a/b@c0ffee/raw/test (30 rows, d00d) by 'joined', start token: first",
  ]);
});
