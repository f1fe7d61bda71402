import { describe, expect, test } from 'vitest';
import { criteria, widthMethods } from '../../src/importance/methods';
import { repairMethods } from '../../src/pruning/repairMethods';
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

describe('width', () => {
  test('methods score heads and neurons, with --ratio they make variants; nothing else is measured then', () => {
    const options = readOptions(['--width', 'flap, wanda-sp,flap', '--ratio', '0.2']);
    expect(options).toMatchObject({
      criteria: [],
      width: { methods: ['flap', 'wanda-sp'], how: {} },
      cut: { ratio: 0.2 },
    });
    expect(readOptions(['--width', 'flap', '--criterion', 'ppl']).criteria).toEqual(['ppl']);
    expect(readOptions([])).toMatchObject({ width: null, compare: null, best: null, repair: undefined });
  });

  test('their options are those of lab.plan', () => {
    const given = ['--as-published', '--round-to', '16', '--heads', 'within-groups', '--repair', 'none'];
    const { width, repair } = readOptions(['--width', 'flap', ...given]);
    expect(width?.how).toEqual({ asPublished: true, roundTo: 16, heads: 'within-groups' });
    expect(repair).toBe('none');
  });

  test('a comparison has methods and one budget, the best model one or two limits', () => {
    const methods = ['--compare', 'ppl,taylor+,flap,width:random'];
    expect(readOptions([...methods, '--budget-ratio', '0.2']).compare).toEqual({
      methods: ['ppl', 'taylor+', 'flap', 'width:random'],
      budget: { ratio: 0.2 },
    });
    expect(readOptions([...methods, '--budget-ms', '4.5']).compare?.budget).toEqual({ msPerToken: 4.5 });
    expect(readOptions([...methods, '--budget-bytes', '1e6'])).toMatchObject({ compare: { budget: { bytes: 1e6 } } });
    expect(readOptions(['--best-ms', '5', '--best-ratio', '0.1']).best).toEqual({ msPerToken: 5, ratio: 0.1 });
  });

  test('the help names every method, repair and option', () => {
    for (const { id } of widthMethods) expect(help).toMatch(new RegExp(`--width LIST .*\\b${id}\\b`));
    for (const id of repairMethods) expect(help).toContain(id);
    for (const name of ['as-published', 'round-to', 'heads', 'compare', 'budget-ratio', 'budget-ms', 'budget-bytes']) {
      expect(help).toContain(`--${name}`);
    }
  });
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
    [['--width', 'flaps', '--ratio', '0.2'], /--width: expected one of wanda-sp.*got 'flaps'/],
    [['--width', 'flap', '--count', '2'], /--count counts blocks: give --ratio/],
    [['--round-to', '16'], /--round-to belongs to width methods: give --width too/],
    [['--width', 'flap', '--round-to', '12'], /--round-to: expected one of 8, 16, 32, 64; got '12'/],
    [['--width', 'flap', '--heads', 'all'], /--heads: expected one of groups, within-groups/],
    [['--repair', 'glue'], /--repair: expected one of flap-bias/],
    [['--compare', 'ppl'], /--compare needs exactly one of --budget-ratio, --budget-ms and --budget-bytes/],
    [['--compare', 'ppl', '--budget-ratio', '0.2', '--budget-ms', '4'], /exactly one of/],
    [['--budget-ms', '4'], /give --compare too/],
    [['--compare', 'flap+', '--budget-ms', '4'], /--compare: expected one of .*got 'flap\+'/],
    [['--best-ms', '0'], /--best-ms: expected a number above 0, got '0'/],
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

describe('retraining', () => {
  test('one request a method, with rates of its own; the others are shared', () => {
    const { trainings } = readOptions(
      '--retrain lora,full,full+lora --steps 60 --batch 8 --learning-rate 2e-3 --rank 4 --hold-out 0.1 --train-on c4'.split(
        ' ',
      ),
    );
    const common = { steps: 60, batch: 8, schedule: 'cosine', warmup: 3, corpus: 'c4', heldOut: 0.1 };
    expect(trainings).toEqual([
      { ...common, method: 'lora', learningRate: 5e-3, rank: 4 },
      { ...common, method: 'full', learningRate: 2e-3 },
      { ...common, method: 'full+lora', learningRate: 2e-3, loraLearningRate: 5e-3, rank: 4 },
    ]);
    expect(readOptions([]).trainings).toBeNull();
  });

  test.each<[string, string]>([
    ['--retrain sgd', '--retrain: expected one of full, lora'],
    ['--steps 10', '--steps belongs to trainings'],
    ['--retrain lora --hold-out 2', '--hold-out: expected a share'],
    ['--retrain lora --schedule step', '--schedule: expected one of constant, linear, cosine'],
  ])('%s: refused', (line, message) => {
    expect(() => readOptions(line.split(' '))).toThrow(message);
  });
});
