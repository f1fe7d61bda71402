import { describe, expect, test } from 'vitest';
import { criteria } from '../../src/importance/methods';
import { allCriteria, help, readOptions, UsageError } from './options.mjs';

test('without options: the demo, scored by perplexity as in the paper, nothing removed', () => {
  expect(readOptions([])).toMatchObject({
    model: 'demo',
    criteria: ['ppl'],
    plus: false,
    samples: 10,
    seqLen: 128,
    cut: null,
    runtime: 'auto',
    precision: 'exact',
    latency: true,
    promptTokens: 12,
    newTokens: 128,
  });
});

test('lists are split, repeats fall out, all stands for every depth criterion', () => {
  expect(readOptions(['--criterion', 'ppl, magnitude,ppl']).criteria).toEqual(['ppl', 'magnitude']);
  expect(readOptions(['--criterion=all']).criteria).toEqual(allCriteria);
});

test('texts are named; without a name they are what comes with the page', () => {
  expect(readOptions(['--calibrate-on', 'c4', '--evaluate-on', 'ptb', '--bos-to-every'])).toMatchObject({
    calibrateOn: 'c4',
    evaluateOn: 'ptb',
    addBosToEvery: true,
  });
  expect(readOptions([])).toMatchObject({ calibrateOn: undefined, evaluateOn: undefined, addBosToEvery: undefined });
});

test('a cut is given by blocks, by count or by ratio', () => {
  expect(readOptions(['--remove', '5,6']).cut).toEqual({ blocks: [5, 6] });
  expect(readOptions(['--count', '3']).cut).toEqual({ count: 3 });
  expect(readOptions(['--ratio', '0.2']).cut).toEqual({ ratio: 0.2 });
});

describe('mistakes say the option, what was expected and what came', () => {
  test.each([
    [['--count', '2', '--ratio', '0.2'], /--count and --ratio exclude each other/],
    [['--criterion', 'pppl'], /--criterion: expected one of .*ppl.*got 'pppl'/],
    [['--samples', '0'], /--samples: expected a whole number from 1, got '0'/],
    [['--seqLen', '1.5'], /--seqLen: expected a whole number from 2, got '1.5'/],
    [['--remove', '3,x'], /--remove: expected a whole number from 0, got 'x'/],
    [['--ratio', '20'], /--ratio: expected a share between 0 and 1, such as 0.2; got '20'/],
    [['--ratio', ''], /--ratio: expected a share/],
    [['--latency', 'maybe'], /--latency: expected one of on, off; got 'maybe'/],
    [['--runtime', 'gpu'], /--runtime: expected one of/],
    [['--precision', 'half'], /--precision: expected one of exact, f16/],
    [['--speed'], /--speed/],
    [['demo'], /demo/],
  ])('%j', (parameters, message) => {
    expect(() => readOptions(parameters)).toThrow(UsageError);
    expect(() => readOptions(parameters)).toThrow(message);
  });
});

test('the help and --criterion know every registered method; all are those that measure the model', () => {
  for (const { id } of criteria) {
    expect(help).toMatch(new RegExp(`\\b${id}\\b`));
    expect(readOptions(['--criterion', id]).criteria).toEqual([id]);
  }
  expect([...allCriteria].sort()).toEqual(['angular', 'block-influence', 'magnitude', 'ppl', 'taylor']);
  expect(() => readOptions(['--criterion', 'best'])).toThrow(criteria.at(-1)!.id);
});

test('the help names every option', () => {
  for (const name of [
    'model',
    'criterion',
    'plus',
    'remove',
    'count',
    'ratio',
    'runtime',
    'latency',
    'evaluate-on',
    'gpu',
    'json',
  ]) {
    expect(help).toContain(`--${name}`);
  }
});
