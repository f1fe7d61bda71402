/** @file The registry: each record is complete, its file computes what the record says, and errors list the records. */
import { describe, expect, test } from 'vitest';
import type { LayerShape } from '../model/shape';
import { checkSpan, measureScores, needsGpu } from './measure';
import type { MethodRecord, Setting } from './method';
import {
  type Criterion,
  criteria,
  criterionOf,
  greedyMethods,
  labelOf,
  methods,
  scoreMethods,
  takes,
  widthMethodOf,
  widthMethods,
} from './methods';

const ids = (records: readonly MethodRecord[]): string[] => records.map(({ id }) => id);
const layers: LayerShape[] = [0, 1, 2].map((source) => ({ source, heads: 2, kvHeads: 1, headDim: 4, ffn: 8 }));
const setting = { probe: null, shape: { layers }, sequences: [[1, 2]], unit: 'block', span: 1, seed: 1 } as unknown;
const on = setting as Setting;

test('every method is found by its id, and no id stands for two', () => {
  expect(criteria.length + widthMethods.length).toBe(methods.length);
  expect(new Set(ids(criteria)).size).toBe(criteria.length);
  expect(new Set(ids(widthMethods)).size).toBe(widthMethods.length);
  for (const record of criteria) expect(criterionOf(record.id)).toBe(record);
  for (const record of widthMethods) expect(widthMethodOf(record.id)).toBe(record);
});

test('an unknown method: the error lists the registry', () => {
  for (const id of ids(criteria)) expect(() => criterionOf('best')).toThrow(id);
  for (const id of ids(widthMethods)) expect(() => widthMethodOf('best')).toThrow(id);
  expect(() => criterionOf('flap')).toThrow(/criterion: expected one of .*, got 'flap'/);
  expect(labelOf('ppl')).toBe('Perplexity');
  expect(labelOf('of a later version')).toBe('of a later version');
});

describe.each([...criteria, ...widthMethods])('$kind $id', (record) => {
  test('has an id that fits an address, a name, a source and a meaning', () => {
    expect(record.id).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(Math.min(record.label.length, record.paper.length, record.meaning.length)).toBeGreaterThan(3);
    expect(record.units.length).toBeGreaterThan(0);
  });

  test('its file exports the computation that the record describes', async () => {
    switch (record.kind) {
      case 'score':
      case 'width': {
        const { default: method } = await record.load();
        expect(method.score).toBeTypeOf('function');
        expect(method.fromCombinedPass !== undefined).toBe(record.combined === true);
        return;
      }
      case 'greedy': {
        const { default: method } = await record.load();
        expect(method.kinds(layers[0]!).length).toBeGreaterThan(0);
        expect(method.limit(4)).toBeGreaterThan(0);
        return;
      }
      case 'evolution':
        expect((await record.load()).default.search).toBeTypeOf('function');
        return;
      default:
        record satisfies never;
    }
  });
});

test.each(scoreMethods.filter(({ needs }) => needs === 'nothing'))(
  '$id scores every unit without a model',
  async (record) => {
    for (const unit of record.units) {
      const { scores } = await measureScores(record, { ...on, unit });
      expect(scores).toHaveLength(layers.length);
      expect(scores.every(Number.isFinite)).toBe(true);
      expect((await measureScores(record, { ...on, unit })).scores).toEqual(scores);
    }
  },
);

test('what a method cannot score is refused before anything is loaded', async () => {
  const refused = (id: Criterion, changes: Partial<Setting>) => {
    const record = scoreMethods.find((method) => method.id === id)!;
    return expect(measureScores(record, { ...on, ...changes })).rejects;
  };
  await refused('magnitude', { unit: 'mlp' }).toMatchObject({ code: 'not-available' });
  await refused('random', { span: 2 }).toThrow(/window: 'random' scores single units, got window 2/);
  await refused('angular', { span: 4 }).toThrow(/window: expected 1 to 3 blocks, got 4/);
  await refused('ppl', {}).toMatchObject({ code: 'no-webgpu' });
  expect(() => checkSpan(criterionOf('angular'), 3, 3)).not.toThrow();
});

test('a method that needs the GPU names those that do not', () => {
  const without = [...criteria].filter(({ needs }) => needs !== 'gpu');
  for (const { id } of without) expect(needsGpu(criterionOf('sleb')).remedy).toContain(`'${id}'`);
  const { remedy } = needsGpu(widthMethodOf('flap'));
  const width = widthMethods.filter(({ needs }) => needs !== 'gpu').map(({ id }) => `'${id}'`);
  expect(remedy).toMatch(/^Use '.*' or '.*', or open the page in a browser with WebGPU\.$/);
  expect(remedy.match(/'[^']*'/g)).toEqual(width);
});

test('searches have barriers and a count; only seeded methods have a seed', () => {
  for (const record of greedyMethods) expect(takes(record, 'barriers') && takes(record, 'count')).toBe(true);
  expect(ids([...criteria, ...widthMethods].filter((record) => takes(record, 'seed')))).toEqual([
    'random',
    'evopress',
    'random',
  ]);
});
