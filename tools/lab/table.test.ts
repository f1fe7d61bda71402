import { expect, test } from 'vitest';
import { bestTable, comparisonTable, conditions, scoresTable, short, widthTable } from './table.mjs';

const shape = { layers: Array.from({ length: 8 }, () => ({ heads: 4, kvHeads: 2, headDim: 8, ffn: 10 })) };

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
  const [, line] = comparisonTable([row], shape).split('\n');
  expect(line?.split(/ {2,}/)).toEqual([
    'by ppl',
    '5, 6; MLP 1',
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
  const [, ...lines] = comparisonTable(speedUps.map(row), shape).split('\n');
  expect(lines.map((line: string) => line.split(/ {2,}/).at(-1))).toEqual([
    '1.31 (1.27 to 1.36)',
    '= 1.02 (0.95 to 1.10) ‡',
    '–',
  ]);
});

test('a perplexity beyond the largest number is said to be that', () => {
  const plan = { removeBlocks: [], removeAttention: [], removeMlp: [] };
  const row = { name: 'v', plan, parameters: 1, ratio: 0, perplexity: { wgsl: { perplexity: Infinity } }, latency: [] };
  expect(comparisonTable([row], shape).split('\n')[1]).toContain('∞');
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

test('a variant without heads and neurons says what its blocks lose', () => {
  const plan = {
    ...{ version: 1, model: 'm', removeBlocks: [], removeAttention: [], removeMlp: [] },
    keepHeads: shape.layers.map(() => [0, 1]),
    keepNeurons: shape.layers.map(() => [0, 1, 2, 3, 4, 5, 6, 7]),
    rule: { method: 'flap', ratio: 0.2 },
  };
  const row = { name: 'by flap', plan, parameters: 800, ratio: 0.2, perplexity: {}, latency: [] };
  const [, line] = comparisonTable([row], shape).split('\n');
  expect(line?.split(/ {2,}/).slice(0, 3)).toEqual(['by flap', '2 of 4 heads and 2 of 10 neurons per block', '800']);
});

test('width scores have a median per block; a missing sub-block has a dash', () => {
  const found = {
    method: 'flap',
    headUnit: 'kvGroup',
    heads: [[1, 1.5, 9], []],
    neurons: [[5, 3, 2], [8]],
    options: {},
  };
  const table = widthTable([found, { ...found, headUnit: 'head', options: { asPublished: true } }]);
  expect(table.split('\n').map((line: string) => line.split(/ {2,}/))).toEqual([
    ['width method', '0', '1'],
    ['flap, median of key/value groups', '1.5', '–'],
    ['flap, median of neurons', '3', '8'],
    ['flap as published, median of heads', '1.5', '–'],
    ['flap as published, median of neurons', '3', '8'],
  ]);
});

test('the best model has what was predicted beside what was measured', () => {
  const predicted = { msPerToken: 4, cacheBytes: 1024, perplexity: 8.5 };
  const table = bestTable({ variant: { name: 'best' }, predicted, measured: { ...predicted, msPerToken: 4.2 } });
  expect(table.split('\n').map((line: string) => line.split(/ {2,}/))).toEqual([
    ['best model: best', 'ms/token', 'cache bytes', 'perplexity'],
    ['predicted', '4', '1024', '8.5'],
    ['measured', '4.2', '1024', '8.5'],
  ]);
});
