import { expect, test } from 'vitest';
import type { LayerShape, ModelShape } from '../../model/shape';
import { syntheticComparison } from '../../report/testing/syntheticComparison';
import { depthOffers, formFault, formOf, requestOf, toggled, widthOffers } from './budget';
import { isBelow, perplexityBefore, sorted, tableRows, timedBatches } from './tableData';

const comparison = syntheticComparison('demo');
const layer = { source: 0, heads: 8, kvHeads: 4, headDim: 16, ffn: 352 };
const base = { layers: Array(12).fill(layer), maxPositions: 256 } as unknown as ModelShape;
const shapes = new Map<string, { layers: readonly LayerShape[] }>([
  ['base', base],
  ['v1', { layers: base.layers.slice(3) }],
]);
const rows = tableRows(comparison, base, shapes, 1);
const ids = (list: typeof rows): string[] => list.map(({ row }) => row.variant);

test('a row tells kind, repair, what is removed, and its cache', () => {
  const [first, one, two] = rows;
  expect(first).toMatchObject({ kind: 'base', repair: '–', removed: '–' });
  // 2 (keys and values) · 12 blocks · 256 tokens · 4 heads · 16 channels · 4 bytes
  expect(first!.cache).toBe(2 * 12 * 256 * 4 * 16 * 4);
  expect(one).toMatchObject({ kind: 'depth', repair: '–', removed: '1, 2, 5', cache: (first!.cache! * 9) / 12 });
  expect(two).toMatchObject({ repair: 'ReplaceMe', cache: null });
  expect(two!.before?.variant).toBe('v1');
  expect(rows[8]).toMatchObject({ kind: 'width', repair: 'FLAP’s biases' });
  expect(rows[8]!.removed).toContain('neurons');
  expect(rows[12]!.kind).toBe('mixed');
  expect(rows.every(({ timed }) => timed.length === 1)).toBe(true);
  expect(tableRows(comparison, base, shapes, null)[1]!.timed.length).toBe(4);
  expect(timedBatches(comparison)).toEqual([1, 2, 4, 8]);
});

test('a repaired variant has the perplexity before its repair on the same tokens', () => {
  const [, before, after] = comparison;
  const result = after!.perplexity.wgsl!;
  expect(perplexityBefore(before!, result)?.perplexity).toBe(1.962);
  expect(perplexityBefore(before!, { ...result, text: { ...result.text, hash: 'other' } })).toBeNull();
  expect(perplexityBefore(null, result)).toBeNull();
});

test('by kind, a repaired variant stands below the one that it repairs; the base stays first', () => {
  const mixed = [rows[12]!, rows[2]!, rows[8]!, rows[1]!, rows[0]!, rows[7]!];
  const order = sorted(mixed, { key: 'kind', descending: false });
  expect(ids(order)).toEqual(['base', 'v1', 'v2', 'v7', 'v8', 'v12']);
  expect(order.map((row) => isBelow(row, order))).toEqual([false, false, true, false, true, false]);
  expect(ids(sorted(mixed, { key: 'kind', descending: true }))).toEqual(['base', 'v12', 'v7', 'v8', 'v1', 'v2']);
});

test('by a number, with rows that lack it at the end', () => {
  const some = [rows[0]!, rows[1]!, rows[11]!, { ...rows[3]!, timed: [] }];
  expect(ids(sorted(some, { key: 'perplexity', descending: true }))).toEqual(['base', 'v11', 'v1', 'v3']);
  expect(ids(sorted(some, { key: 'speedUp', descending: false }))).toEqual(['base', 'v11', 'v1', 'v3']);
  expect(ids(sorted(some, { key: 'speedUp', descending: true }))).toEqual(['base', 'v1', 'v11', 'v3']);
  expect(ids(sorted(some, { key: 'cache', descending: false }))).toEqual(['base', 'v1', 'v11', 'v3']);
});

const preset = { budget: { ratio: 0.2 }, methods: ['taylor+', 'flap'], batchSizes: [1, 8], runs: 6, newTokens: 32 };

test('a form begins with a preset and asks for what it says', () => {
  const form = formOf(preset);
  expect(requestOf(form, preset)).toEqual(preset);
  const changed = {
    ...form,
    kind: 'bytes' as const,
    amounts: { ...form.amounts, bytes: 8 },
    batchSizes: [4, 1],
    roundTo: [32, 16] as const,
    repair: 'none' as const,
  };
  expect(requestOf(changed, preset)).toMatchObject({
    budget: { bytes: 8e6 },
    batchSizes: [1, 4],
    repair: 'none',
    roundTo: [16, 32],
  });
  expect(formFault(form)).toBeNull();
});

test.each([
  [{ amounts: { ratio: Number.NaN, msPerToken: 1, bytes: 1 } }, 'above zero'],
  [{ amounts: { ratio: 100, msPerToken: 1, bytes: 1 } }, 'less than 100 %'],
  [{ methods: [] }, 'one method'],
  [{ batchSizes: [] }, 'one batch size'],
])('a form with %j says what is missing', (part, words) => {
  expect(formFault({ ...formOf(preset), ...part })).toContain(words);
});

test('every method is offered once, with its paper; the two random ones have different ids', () => {
  const offered = [...depthOffers, ...widthOffers];
  expect(new Set(offered.map(({ id }) => id)).size).toBe(offered.length);
  expect(offered.map(({ id }) => id)).toEqual(expect.arrayContaining(['taylor', 'taylor+', 'random', 'width:random']));
  expect(depthOffers.map(({ id }) => id)).not.toContain('block-pruner');
  expect(toggled(['a'], 'b')).toEqual(['a', 'b']);
  expect(toggled(['a', 'b'], 'a')).toEqual(['b']);
});
