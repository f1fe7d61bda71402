/** @file The YAML as a YAML parser reads it, judged by mergekit's rules for passthrough merges. */
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ExportSource } from '../exported';
import { exportFormat } from '../formats';
import { variantCase } from '../testing/cases';
import { contentOf, exportSourceOf, planOf } from '../testing/source';
import { mergekit } from './format';
import { keptRanges } from './slices';
import write from './write';

interface Merge {
  slices: { sources: { model: string; layer_range: [number, number] }[] }[];
  [field: string]: unknown;
}

async function merged(source: ExportSource): Promise<{ merge: Merge; readMe: string }> {
  const [yaml, readMe] = await write(source, {});
  const text = async (file: typeof yaml) => new TextDecoder().decode(await contentOf(file!));
  expect(yaml!.path).toBe('mergekit.yaml');
  return { merge: parse(await text(yaml)) as Merge, readMe: await text(readMe) };
}

const blocks = (...layers: number[]) => planOf(layers.map((layer) => ({ kind: 'block' as const, layer })));

test('slices with exclusive ends and one source each hold exactly the blocks that remain', async () => {
  const plan = blocks(1, 2, 5);
  const model = { ...(await exportSourceOf('tiny-c')).model, source: 'owner/name@abc' };
  const { merge } = await merged(await exportSourceOf('tiny-c', { plan, source: { model } }));
  expect(Object.keys(merge).filter((key) => ['models', 'slices', 'modules'].includes(key))).toEqual(['slices']);
  for (const { sources } of merge.slices) expect(sources).toHaveLength(1);
  const ranges = merge.slices.map(({ sources }) => sources[0]!.layer_range);
  expect(ranges).toEqual([
    [0, 1],
    [3, 5],
    [6, 8],
  ]);
  expect(merge).toMatchObject({ merge_method: 'passthrough', dtype: 'bfloat16', tokenizer_source: 'base' });
  expect(new Set(merge.slices.map(({ sources }) => sources[0]!.model))).toEqual(new Set(['owner/name']));
  expect(merge['base_model']).toBe('owner/name');
});

test('every set of removed blocks leaves ranges that are ascending, not empty, and never adjacent', () => {
  for (let mask = 0; mask < 2 ** 6 - 1; mask++) {
    const removed = [0, 1, 2, 3, 4, 5].filter((block) => mask & (1 << block));
    const ranges = keptRanges(6, removed);
    const kept = ranges.flatMap(([first, end]) => Array.from({ length: end - first }, (_, at) => first + at));
    expect(kept).toEqual([0, 1, 2, 3, 4, 5].filter((block) => !removed.includes(block)));
    ranges.forEach(([first, end], at) => {
      expect(end).toBeGreaterThan(first);
      if (at > 0) expect(first).toBeGreaterThan(ranges[at - 1]![1]);
    });
  }
});

test('where blocks differ in windows, the page beside the YAML gives the list for config.json', async () => {
  const { readMe } = await merged((await variantCase('tiny-gemma2', 'depth'))!);
  expect(readMe).toContain('"layer_types": ["sliding_attention","sliding_attention","full_attention"]');
});

test.each([
  ['even', 'single heads or neurons'],
  ['sub-blocks', 'the attention or the MLP'],
  ['rescaled', 'repaired or replaced'],
  ['biases', 'repaired or replaced'],
  ['base', 'unchanged'],
] as const)('a variant of the kind %s is refused with the reason', async (kind, reason) => {
  const source = (await variantCase('tiny-a', kind))!;
  expect(mergekit.refusal(source)?.message).toContain(reason);
  expect(() => exportFormat('mergekit', source)).toThrow(expect.objectContaining({ code: 'not-available' }));
});
