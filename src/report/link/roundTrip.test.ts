/** @file What a link carries comes back: every field that a reader sees, its numbers to the link's digits. */
import { expect, test } from 'vitest';
import type { Step } from '../../pruning/variant';
import type { ModelRecord } from '../record';
import type { ComparisonRow } from '../results';
import { sensibleRecord } from './sensible';
import { awkwardRecord } from './testing/awkwardRecord';
import { measuredReport, withTasks } from './testing/measuredReport';
import { readRecord, writeRecord } from './tuples';

const seeds = Array.from({ length: 40 }, (_, seed) => seed);
const read = (text: string): ModelRecord => sensibleRecord(readRecord(JSON.parse(text)), 'The link');

/** Fields that measure the measuring itself, told in three digits. */
const costs = new Set(['milliseconds', 'peakGpuBytes']);

/** Fails where two values differ by more than the link's digits, and names the place. */
function requireClose(got: unknown, expected: unknown, place: string): void {
  if (typeof expected === 'number' && typeof got === 'number') {
    const digits = costs.has(place.split('.').at(-1)!) ? 3 : 4;
    const error = Math.abs(got - expected) / Math.abs(expected);
    const close = Object.is(got + 0, expected + 0) || error <= 0.51 * 10 ** (1 - digits);
    if (!close) throw new Error(`${place}: expected about ${expected}, got ${got}`);
  } else if (typeof expected === 'object' && expected !== null && typeof got === 'object' && got !== null) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(got)]);
    for (const key of keys) {
      requireClose(
        (got as Record<string, unknown>)[key],
        (expected as Record<string, unknown>)[key],
        `${place}.${key}`,
      );
    }
  } else {
    expect(got, place).toEqual(expected);
  }
}

/** What a link is to say of a record: without what only this browser knows, lists without an order of their own sorted. */
function seen(record: ModelRecord): unknown {
  const { calibrationTokens: _, created, model, device, comparison, ...rest } = record;
  const { openingNotes: __, patchBytes: ___, outdated: ____, ...info } = model;
  const time = Math.floor(Date.parse(created) / 1000);
  return {
    ...rest,
    created: time >= 0 ? time : created,
    model: { ...info, downloadedBytes: 0, lastUsed: 0 },
    device: device && { ...device, identity: device.adapter, features: [], limits: {} },
    comparison: comparison.map(seenRow),
  };
}

function seenRow(row: ComparisonRow): unknown {
  const way = ({ batch, runtime, precision, speedUp }: ComparisonRow['latency'][number]): string =>
    JSON.stringify([batch, runtime, precision, speedUp?.ratio.toPrecision(4)]);
  return {
    ...row,
    latency: row.latency.toSorted((a, b) => way(a).localeCompare(way(b))),
    ...(row.tasks && { tasks: row.tasks.toSorted((a, b) => a.task.localeCompare(b.task)) }),
    recipe: row.recipe.map(seenStep),
  };
}

function seenStep(step: Step): unknown {
  const facts = (patch: { readonly sha256: string; readonly tensors: readonly { readonly name: string }[] }) => ({
    ...patch,
    sha256: patch.sha256.slice(0, 16),
    tensors: patch.tensors.toSorted((a, b) => a.name.localeCompare(b.name)),
  });
  if (step.kind === 'patch') return { ...step, ...facts(step) };
  return (step.kind === 'repair' || step.kind === 'retrain') && step.patch
    ? { ...step, patch: { ...step.patch, ...facts(step.patch) } }
    : step;
}

test.each([
  ['odd records', seeds.map(awkwardRecord)],
  ['a long session', [measuredReport()]],
])('%s come back', (_, records) => {
  for (const [seed, record] of records.entries()) {
    const back = read(writeRecord(record));
    requireClose(seen(back), seen(record), `record ${seed}`);
    // What was read is written as the same text.
    expect(writeRecord(back)).toBe(writeRecord(record));
  }
});

test('the results of tasks stand in one place of the first row, which pages without tasks look past', () => {
  const record = withTasks(measuredReport(2), ['story-endings', 'mine.jsonl']);
  const [plain, asked] = [measuredReport(2), record].map((each) => JSON.parse(writeRecord(each))[9][0]);
  const place = 10;
  expect(asked[0][place]).toHaveLength(2);
  // Zeros up to the place are all that it adds to the row.
  expect(asked[0].slice(0, place)).toEqual([...plain[0], ...Array(place - plain[0].length).fill(0)]);
  expect(asked.slice(1)).toEqual(plain.slice(1));
  const { comparison } = read(writeRecord(record));
  const errors = comparison.map(({ tasks }) => tasks?.map(({ standardError }) => standardError));
  expect(errors).toEqual(record.comparison.map(({ tasks }) => tasks?.map(({ standardError }) => standardError)));
});

test('the odd records hold what makes them odd', () => {
  const records = seeds.map(awkwardRecord);
  const layers = new Set(records.map(({ model }) => model.shape.layers.length));
  expect([...layers].sort((a, b) => a - b)).toEqual([0, 6, 80]);
  const text = records.map(writeRecord).join('\n');
  for (const sign of ['?', '*', '!', '(1.000e-20)']) expect(text).toContain(sign);
  expect(records.some(({ comparison }) => comparison.some(({ plan }) => plan.keepNeurons !== undefined))).toBe(true);
  const kinds = records.flatMap(({ comparison }) => comparison.flatMap(({ recipe }) => recipe.map(({ kind }) => kind)));
  expect(new Set(kinds)).toEqual(new Set(['prune', 'patch', 'repair', 'retrain']));
  const tasks = records.flatMap(({ comparison }) => comparison.flatMap((row) => row.tasks ?? []));
  const isWhole = (share: number, items: number): boolean => Math.abs(share * items - Math.round(share * items)) < 1e-9;
  expect(new Set(tasks.map(({ accuracy, items }) => isWhole(accuracy, items)))).toEqual(new Set([true, false]));
});
