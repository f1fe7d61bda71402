import { expect, test } from 'vitest';
import { comparisonTable, scoresTable, short } from './table.mjs';

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
  ]);
});
