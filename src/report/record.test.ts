import { describe, expect, test } from 'vitest';
import { createRandom, randomInt } from '../numerics/random';
import { describePlan } from '../pruning/describe';
import { emptyPlan } from '../pruning/plan';
import { recipeOf } from '../pruning/variant';
import { writeIndexSet } from './indexSet';
import { type ModelRecord, recordJson, restore, restoreRows } from './record';
import type { TaskResult } from './results';
import { randomRecord } from './testing/randomRecord';

const seeds = Array.from({ length: 40 }, (_, seed) => seed);
/** Through structured clone, as to IndexedDB and between threads; some writers leave undefined fields. */
const cloned = (record: ModelRecord): unknown => structuredClone({ ...record, extra: undefined });

describe('a record comes back as it was', () => {
  test.each(seeds)('record %i', (seed) => {
    const record = randomRecord(seed);
    expect(restore(cloned(record))).toEqual({ record, dropped: null });
    expect(restore(JSON.parse(recordJson(record))).record).toEqual(record);
  });

  test('after a plain JSON.stringify too, which writes Infinity and NaN as null', () => {
    for (const seed of seeds) {
      const record = randomRecord(seed);
      const { scores, comparison, searches, evolution } = restore(JSON.parse(JSON.stringify(record))).record;
      // An infinite score beside no finite one may be of either sign; a loss that is no number is taken for NaN.
      expect({ comparison, searches, evolution }).toEqual({
        comparison: record.comparison,
        searches: record.searches,
        evolution: record.evolution,
      });
      const withFinite = record.scores.filter((each) => each.scores.some(Number.isFinite));
      expect(scores.filter((each) => each.scores.some(Number.isFinite))).toEqual(withFinite);
    }
  });

  test('and its rows alone, for the model that they are of', () => {
    const record = randomRecord(3);
    const { comparison, model } = record;
    expect(restoreRows(structuredClone(comparison), model)).toEqual({ rows: comparison, record: null });
    expect(restoreRows(JSON.parse(JSON.stringify(comparison)), model).rows).toEqual(comparison);
    expect(restoreRows(record, model)).toEqual({ rows: comparison, record });
    const other = { id: model.id, revision: 'other' };
    expect(() => restoreRows(record, other)).toThrow(
      `The record: expected one of the open model '${model.id}', revision 'other', got one of '${model.id}', revision '${model.revision}'.`,
    );
  });
});

test('the largest model that loads has a record', () => {
  const record = randomRecord(2);
  const indices = Array.from({ length: 1023 }, (_, index) => index);
  const factors = Array.from({ length: 128 }, () => 1.5);
  const layer = { source: 0, heads: 2, kvHeads: 1, headDim: 4, ffn: 16, rope: { theta: 1e4, factors } };
  const model = {
    ...record.model,
    shape: { ...record.model.shape, layers: Array.from({ length: 1024 }, () => layer) },
  };
  const plan = { ...emptyPlan(model.id), removeAttention: indices };
  const [base] = record.comparison;
  const row = {
    ...base!,
    variant: 'v1',
    parent: 'base',
    plan,
    recipe: recipeOf(plan),
    name: describePlan(plan, model.shape),
  };
  const largest = { ...record, model, comparison: [base!, row] };
  expect(restore(structuredClone(largest)).record).toEqual(largest);
});

describe('scores of heads and neurons', () => {
  const record = Array.from({ length: 20 }, (_, seed) => randomRecord(seed)).find(
    (each) => each.widthScores.length > 0,
  )!;
  const [width] = record.widthScores;

  test('records from before width pruning have none', () => {
    const { widthScores: _, ...before } = record;
    expect(restore(before).record.widthScores).toEqual([]);
    expect(restore({ ...before, version: 1 }).record.widthScores).toEqual([]);
  });

  test.each([
    [{ heads: [[1, '2']] }, 'widthScores.0.heads.0: expected a list of at most 1000000 numbers'],
    [{ neurons: [[1], {}] }, 'widthScores.0.neurons.1: expected a list'],
    [
      { neurons: [new Array(1_000_001).fill(0)] },
      'widthScores.0.neurons.0: expected a list of at most 1000000 numbers',
    ],
    [{ headUnit: 'heads' }, "widthScores.0.headUnit: expected one of 'head', 'kvGroup'"],
    [{ method: '__proto__' }, "widthScores.0.method: expected a width method's id"],
    [{ options: { seed: -1 } }, 'widthScores.0.options.seed: expected a whole number'],
  ])('%#: what does not fit is refused with its place', (change, message) => {
    expect(() => restore({ ...record, widthScores: [{ ...width, ...change }] })).toThrow(message);
  });
});

describe('heads and neurons that a plan keeps', () => {
  const record = Array.from({ length: 40 }, (_, seed) => randomRecord(seed)).find(
    ({ comparison }) => comparison[1]?.plan.keepNeurons?.[0] && comparison[1].plan.keepHeads,
  )!;
  const row = record.comparison[1]!;
  const withPlan = (change: object) => ({
    ...record,
    comparison: [record.comparison[0], { ...row, plan: { ...row.plan, ...change }, recipe: [] }],
  });

  test('are written as bit sets, in the plan and in its recipe, and are lists again when they are read', () => {
    const text = recordJson(record);
    const written = JSON.parse(text).comparison[1];
    expect(written.plan.keepNeurons[0]).toBe(writeIndexSet(row.plan.keepNeurons![0]!));
    expect(written.recipe[0].plan).toEqual(written.plan);
    expect(restore(JSON.parse(text)).record.comparison[1]).toEqual(row);
    // Lists are read too, as JSON.stringify writes them.
    expect(restore(JSON.parse(JSON.stringify(record))).record.comparison[1]?.plan).toEqual(row.plan);
  });

  const rest = [null, null, null, null, null];
  test.each([
    [
      { keepNeurons: [[3, 2], ...rest] },
      'plan.keepNeurons.0: expected ascending whole numbers below 1000000, or a bit',
    ],
    [{ keepNeurons: [[3, 3], ...rest] }, 'plan.keepNeurons.0: expected ascending'],
    [{ keepNeurons: [[-1], ...rest] }, 'plan.keepNeurons.0: expected ascending'],
    [{ keepNeurons: [[0.5], ...rest] }, 'plan.keepNeurons.0: expected ascending'],
    [{ keepNeurons: ['no base64!', ...rest] }, 'plan.keepNeurons.0: expected ascending'],
    [{ keepNeurons: ['A'.repeat(1e6), ...rest] }, 'plan.keepNeurons.0: expected ascending'],
    [{ keepNeurons: [[0, 16], ...rest] }, 'comparison.1.plan.keepNeurons.0: expected indices below 16, got 16'],
    [{ keepHeads: [...rest, writeIndexSet([2])] }, 'comparison.1.plan.keepHeads.5: expected indices below 2, got 2'],
    [{ keepHeads: rest }, 'comparison.1.plan.keepHeads: expected one entry for each of the 6 blocks, got 5'],
  ])('%#: what does not fit the model is refused with its place', (change, message) => {
    expect(() => restore(withPlan(change))).toThrow(message);
  });

  test('also in a step of the recipe', () => {
    const step = { kind: 'prune', plan: { ...row.plan, keepHeads: [[7], ...rest] } };
    const spoilt = { ...record, comparison: [record.comparison[0], { ...row, recipe: [step] }] };
    expect(() => restore(spoilt)).toThrow('comparison.1.recipe.0.plan.keepHeads.0: expected indices below 2, got 7');
  });

  test('40 blocks of 11,008 neurons, a fifth of them removed, take 150 kB in a row', () => {
    const random = createRandom(1);
    const keepNeurons = Array.from({ length: 40 }, () =>
      Array.from({ length: 11_008 }, (_, index) => index).filter(() => random() < 0.8),
    );
    const layer = { source: 0, heads: 2, kvHeads: 1, headDim: 4, ffn: 11_008 };
    const shape = { ...record.model.shape, layers: keepNeurons.map(() => layer) };
    const plan = { ...emptyPlan(record.model.id), keepNeurons };
    const comparison = [{ ...row, plan, recipe: recipeOf(plan) }];
    const large = { ...record, model: { ...record.model, shape }, scores: [], widthScores: [], comparison };
    const text = recordJson(large);
    expect(text.length).toBeLessThan(170_000);
    expect(restore(JSON.parse(text)).record).toEqual(large);
  });
});

test('fields that no schema names are left out, undefined ones too', () => {
  const record = randomRecord(1);
  const [row] = record.comparison;
  const more = {
    ...record,
    extra: 1,
    evil: { toString: 1 },
    comparison: [{ ...row, onclick: 'x', patchLost: undefined }],
  };
  expect(restore(more).record).toEqual({ ...record, comparison: [row] });
});

describe('what does not fit is refused, with its place, what was expected and what came', () => {
  const record = randomRecord(7);
  const base = record.comparison[0]!;
  const changed = (change: object): unknown => ({ ...record, ...change });
  const refused = (value: unknown) => {
    try {
      restore(value);
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'bad-record' });
      return (thrown as Error).message;
    }
    throw new Error('It was taken.');
  };

  test.each([
    [null, 'The record: expected an object, got null.'],
    [[], 'The record: expected an object, got [].'],
    ['{}', "The record: expected an object, got '{}'."],
    [{}, "The record's version: expected 1 or 2, got nothing."],
    [changed({ version: 3 }), "The record's version: expected 1 or 2, got 3."],
    [changed({ version: '2' }), "The record's version: expected 1 or 2, got '2'."],
    [changed({ comparison: {} }), "The record's comparison: expected a list of 0 to 1001, got {}."],
    [
      changed({ comparison: [{ ...base, plan: null }] }),
      "The record's comparison.0.plan: expected an object, got null.",
    ],
    [
      changed({ comparison: [base, base] }),
      "The record's comparison.1.variant: expected an id that no row before it has, got 'base'.",
    ],
    [changed({ scores: [{}] }), /^The record's scores\.0\.criterion: expected a criterion's id, got nothing\.$/],
  ])('%#', (value, message) => {
    expect(refused(value)).toMatch(message);
  });

  test('numbers of wrong types and places', () => {
    const perplexity = { wgsl: { perplexity: '5', meanNll: 1 } };
    expect(refused(changed({ comparison: [{ ...base, perplexity }] }))).toContain(
      "comparison.0.perplexity.wgsl.perplexity: expected a number, 'Infinity', '-Infinity', 'NaN' or null, got '5'",
    );
    expect(refused(changed({ comparison: [{ ...base, parameters: -1 }] }))).toContain('comparison.0.parameters');
    expect(refused(changed({ comparison: [{ ...base, perplexity: { cuda: {} } }] }))).toContain(
      "expected one of 'wgsl', 'ort-webgpu', 'ort-wasm', got 'cuda'",
    );
    const recipe = [{ kind: 'quantize', bits: 4 }];
    expect(refused(changed({ comparison: [{ ...base, recipe }] }))).toContain('comparison.0.recipe.0');
  });

  test('too many rows, long lists and huge texts, before their items are looked at', () => {
    const item = new Proxy({}, { get: () => expect.fail('an item was looked at') });
    expect(refused(changed({ comparison: Array.from({ length: 1002 }, () => item) }))).toContain('a list of 0 to 1001');
    expect(refused(changed({ scores: Array.from({ length: 10_001 }, () => item) }))).toContain('scores');
    const huge = 'x'.repeat(1e6);
    const message = refused(changed({ comparison: [{ ...base, name: huge }] }));
    expect(message).toContain('comparison.0.name: expected a string of at most 10000 characters');
    expect(message.length).toBeLessThan(1000);
    expect(refused(changed({ program: huge }))).toContain('program');
  });

  test('keys that reach a prototype, and a shape that never ends', () => {
    const evil: unknown = JSON.parse(`{"__proto__": {"polluted": true}, "version": 2}`);
    expect(refused(evil)).toContain('created');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const shape: unknown = JSON.parse('{"layers": [{"__proto__": {"heads": 1}}]}');
    expect(refused(changed({ model: { ...record.model, shape } }))).toContain("model.shape: expected a model's shape");
    const endless: Record<string, unknown> = {};
    endless['inside'] = endless;
    expect(refused(changed({ model: { ...record.model, shape: endless } }))).toContain('model.shape');
    const evilMap: unknown = JSON.parse('{"__proto__": {"perplexity": 1}}');
    const taken = restore(changed({ comparison: [{ ...base, perplexity: evilMap }] })).record;
    expect(Object.keys(taken.comparison[0]!.perplexity)).toEqual([]);
    // What the record inherits is none of its own.
    expect(refused(Object.create(record) as unknown)).toContain('version');
  });
});

test('junk in any place is refused or left out, and never breaks the reader', () => {
  const random = createRandom(1);
  const pick = <T>(choices: readonly T[]): T => choices[randomInt(random, choices.length)] as T;
  const junk: readonly unknown[] = [null, undefined, '', 'x', -1, 1e300, true, [], {}, [[]], () => 1, Symbol('s'), 1n];
  /** Replaces one value somewhere inside; names the place. */
  const spoil = (value: unknown, place: string): string => {
    const parent = value as Record<string, unknown>;
    const key = pick(Object.keys(parent));
    const inside = parent[key];
    const isBranch = typeof inside === 'object' && inside !== null && Object.keys(inside).length > 0;
    if (isBranch && random() < 0.8) return spoil(inside, `${place}.${key}`);
    parent[key] = pick(junk);
    return `${place}.${key}`;
  };
  let refusals = 0;
  for (let round = 0; round < 400; round++) {
    const record = structuredClone(randomRecord(round));
    const version = round % 4 === 0 ? 1 : 2;
    const place = spoil(record, 'record');
    try {
      restore({ ...record, version });
    } catch (thrown) {
      expect(thrown, place).toMatchObject({ code: 'bad-record' });
      refusals += 1;
    }
  }
  expect(refusals).toBeGreaterThan(100);
});

test('two variants of one shape and plan keep their own numbers', () => {
  const record = seeds.map(randomRecord).find(({ comparison }) => comparison[1]?.perplexity.wgsl);
  const [base, first] = record?.comparison ?? [];
  if (!record || !base || !first?.perplexity.wgsl) throw new Error('No record has a variant with a perplexity.');
  const perplexity = first.perplexity.wgsl;
  const twin = (variant: string, milliseconds: number) => ({
    ...first,
    variant,
    name: 'twin',
    perplexity: { wgsl: { ...perplexity, milliseconds } },
  });
  const { comparison } = restore(
    JSON.parse(recordJson({ ...record, comparison: [base, twin('v1', 1), twin('v2', 2)] })),
  ).record;
  const times = comparison.slice(1).map((row) => [row.variant, row.perplexity.wgsl?.milliseconds]);
  expect(times).toEqual([
    ['v1', 1],
    ['v2', 2],
  ]);
});

test('two results of one task in a row are refused, and shares that are none', () => {
  const record = randomRecord(3);
  const [base, ...others] = record.comparison;
  const task: TaskResult = {
    ...{ task: 'piqa', items: 4, accuracy: 0.5, accuracyNorm: 1, standardError: 0.25, hash: 'c0ffee', milliseconds: 1 },
    device: { adapter: 'CPU', software: false, runtime: 'WGSL engine' },
  };
  const withTasks = (...tasks: object[]): unknown => ({ ...record, comparison: [{ ...base!, tasks }, ...others] });
  const { comparison } = restore(withTasks(task, { ...task, task: 'boolq' })).record;
  expect(comparison[0]?.tasks?.map(({ task }) => task)).toEqual(['piqa', 'boolq']);
  expect(() => restore(withTasks(task, { ...task, accuracy: 1 }))).toThrow(
    "The record's comparison.0.tasks.1.task: expected a task that no result before it has, got 'piqa'.",
  );
  expect(() => restore(withTasks({ ...task, accuracyNorm: 1.5 }))).toThrow(
    "The record's comparison.0.tasks.0.accuracyNorm: expected a number from 0 to 1, got 1.5.",
  );
  expect(() => restore(withTasks({ ...task, items: 0 }))).toThrow('a whole number from 1 to');
});
