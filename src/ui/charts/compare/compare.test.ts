import { expect, test } from 'vitest';
import type { ComparisonRow } from '../../../report/results';
import { syntheticComparison } from '../../../report/testing/syntheticComparison';
import { inColumns } from './labelColumns';
import { bySize, byTime, sizeTable, timeTable } from './scatterData';
import { batchesOf, dodged, speedAxis, speedTable, spreadOut } from './speedData';
import { beforeRepair, idealGroups, speedLines, variantPoints, waysOf } from './variantPoints';

const rows = syntheticComparison('demo');
const row = (id: string): ComparisonRow => rows.find(({ variant }) => variant === id)!;
const choice = { text: null, way: 'ort-webgpu', batch: 1, shown: 'v3' };
const points = variantPoints(rows, choice);
const point = (id: string) => points.find(({ key }) => key === id)!;

test('the base comes first, then depth, width and both, numbered', () => {
  expect(points.map(({ kind }) => kind)).toEqual([
    'base',
    ...Array(6).fill('depth'),
    ...Array(5).fill('width'),
    'mixed',
  ]);
  expect(points.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(point('v3').now).toBe(true);
});

test('a repaired variant is joined to the same plan without the repair, which is hollow', () => {
  expect(beforeRepair(row('v2'), rows)?.variant).toBe('v1'); // its parent
  expect(beforeRepair(row('v8'), rows)?.variant).toBe('v7'); // made from the base: the same plan
  expect(beforeRepair(row('v1'), rows)).toBeNull();
  expect(beforeRepair(row('v2'), [row('base'), row('v2'), row('v3')])).toBeNull();
  expect([point('v1').filled, point('v2').filled, point('v5').filled]).toEqual([false, true, true]);
  expect([point('v1').repaired, point('v2').repaired]).toEqual([false, true]);
});

test('the ideal speed-up is the base’s parameters over the variant’s', () => {
  const two = [row('base'), { ...row('v1'), parameters: row('base').parameters / 2 }];
  expect(variantPoints(two, choice)[1]!.ideal).toBe(2);
});

test('a variant without a number, with an infinite one or with one on other tokens has no point', () => {
  const change = (id: string, perplexity: number, hash = row(id).perplexity.wgsl!.text.hash): ComparisonRow => {
    const { text, ...rest } = row(id).perplexity.wgsl!;
    return { ...row(id), perplexity: { wgsl: { ...rest, perplexity, text: { ...text, hash } } } };
  };
  const some = [
    row('base'),
    change('v1', Number.POSITIVE_INFINITY),
    change('v3', 2, 'other'),
    { ...row('v5'), perplexity: {} },
    row('v6'),
  ];
  const text = row('base').perplexity.wgsl!.text.hash;
  expect(bySize(variantPoints(some, { ...choice, text })).map(({ key }) => key)).toEqual(['base', 'v6']);
  const withoutBase = [{ ...row('base'), perplexity: {} }, row('v6')];
  const page = variantPoints(withoutBase, { ...choice, text, base: row('base').perplexity.wgsl! });
  expect(page[0]!.perplexity).toBe(1.838);
});

test('ways: runtime and precision, with their batch sizes; the one with the most variants first', () => {
  const { latency } = row('v1');
  const wasm = { ...row('v1'), latency: [{ ...latency[3]!, runtime: 'ort-wasm' as const }, ...latency] };
  expect(waysOf([wasm, row('v3')]).map(({ key, batches }) => [key, batches])).toEqual([
    ['ort-webgpu', [1, 2, 4, 8]],
    ['ort-wasm', [8]],
  ]);
  expect(waysOf([{ ...row('v1'), latency: [] }])).toEqual([]);
});

test('tables have the numbers of the charts', () => {
  const size = bySize(points);
  const time = byTime(points);
  expect(size.map(({ x }) => x)).toEqual(points.map(({ removed }) => removed));
  expect(sizeTable(size).rows[2]).toEqual({
    key: 'v2',
    cells: ['Taylor+ 20 %, ReplaceMe', 'depth, repaired', '22.7%', '1.893'],
  });
  // 5.8 ms; (12 + 64 · 5.8) · 0.02 / 64 = 0.11975
  expect(timeTable(time).rows[0]!.cells).toEqual([
    'original model',
    'original',
    '5.80\u00a0ms',
    '0.12\u00a0ms',
    '1.838',
  ]);
  expect(time[0]!.whisker).toBeCloseTo(0.11975, 10);
});

test('lines of speed-ups: one per variant that was timed with the base, in the order of the batch sizes', () => {
  const shuffled = rows.map((each) => ({ ...each, latency: each.latency.toReversed() }));
  const alone = shuffled.map((each) =>
    each.variant === 'v1' ? { ...each, latency: each.latency.map(({ speedUp: _, ...rest }) => rest) } : each,
  );
  const lines = speedLines(alone, points, 'ort-webgpu');
  expect(lines.map(({ key }) => key)).toEqual(points.slice(2).map(({ key }) => key));
  expect(lines[0]!.points.map(({ batch, ratio }) => [batch, ratio])).toEqual([
    [1, 1.23],
    [2, 1.25],
    [4, 1.26],
    [8, 1.26],
  ]);
  expect(batchesOf(lines)).toEqual([1, 2, 4, 8]);
  const { head, rows: cells } = speedTable(lines);
  expect(head[2]).toBe('batch 1 (95 % interval)');
  // 1.23 ± 1 %
  expect(cells[0]!.cells.slice(1, 3)).toEqual(['1.29×', '1.23× (1.22 to 1.24)']);
  expect(speedLines(rows, points, 'ort-wasm')).toEqual([]);
});

test('the axis of speed-ups holds 1, the whiskers and the ideals', () => {
  const line = { ...speedLines(rows, points, 'ort-webgpu')[0]!, ideal: 1.5 };
  const { domain, ticks } = speedAxis([line]);
  expect(domain[0]).toBeLessThanOrEqual(1);
  expect(domain[1]).toBeGreaterThanOrEqual(1.5);
  expect(ticks).toContain(1);
  expect(speedAxis([]).ticks).toContain(1);
});

test('ideals that differ little are one group', () => {
  expect(idealGroups([1.3, 1.25, 2, 1.28])).toEqual([
    { low: 1.25, high: 1.3 },
    { low: 2, high: 2 },
  ]);
  expect(idealGroups([])).toEqual([]);
});

test('labels of a column keep their order and their distance, inside its ends', () => {
  expect(spreadOut([50, 52, 20], 10, 0, 100)).toEqual([50, 60, 20]);
  expect(spreadOut([98, 99], 10, 0, 100)).toEqual([90, 100]);
  expect(spreadOut([0, 0, 0], 10, 5, 100)).toEqual([5, 15, 25]);
  expect(dodged(2, 0, 3, 4)).toBeCloseTo(1.78, 10);
  expect(dodged(2, 0, 1, 4)).toBe(2);
});

test('names stand in a column beside their group; a group without room shares the next one’s', () => {
  const at = (key: string, x: number, y: number) => ({ key, text: key, x, y, half: 0 });
  const place = (second: number) =>
    inColumns([at('b', 20, 60), at('a', 10, 50), at('c', second, 55)], { top: 0, bottom: 100 }, () => 100);
  const apart = new Map(place(300).map(({ key, labelX, labelY }) => [key, [labelX, labelY]]));
  expect(apart.get('a')).toEqual([46, 54]);
  expect(apart.get('b')).toEqual([46, 68]);
  expect(apart.get('c')).toEqual([326, 59]);
  expect(place(100).map(({ labelX }) => labelX)).toEqual([126, 126, 126]);
});
