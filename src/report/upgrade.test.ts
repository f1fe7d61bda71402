/** @file Reports that earlier versions wrote come back as far as they fit. */
import { expect, test, vi } from 'vitest';
import { restore, restoreRows } from './record';

/** As `lab.report()` of the first version gave it, abridged: `windows` and `apart`, no parents, no recipes, no notes. */
const shape = { family: 'llama', vocab: 10, hidden: 4, layers: [{ source: 0 }, { source: 1 }], normEps: 1e-5 };
const device = { adapter: 'apple m2', software: false, runtime: 'WGSL engine' };
const calibration = { corpus: 'calibration', samples: 10, seqLen: 128, seed: 1234, tokens: 1280, hash: 'a1' };
const wgsl = {
  perplexity: 5,
  meanNll: Math.log(5),
  tokens: 10,
  milliseconds: 3,
  runtime: 'wgsl',
  text: { corpus: 'evaluation', windows: 16, seqLen: 128, hash: 'b2' },
  device,
};
const plan = (...removeBlocks: number[]) => ({
  version: 1,
  model: 'm',
  removeBlocks,
  removeAttention: [],
  removeMlp: [],
});
const row = (variant: string, ...blocks: number[]) => ({
  variant,
  name: `without ${blocks}`,
  plan: plan(...blocks),
  parameters: 100,
  ratio: 0.1,
  layers: 2,
  perplexity: { wgsl },
  latency: [],
});
const scores = {
  ...{ criterion: 'ppl', unit: 'block', scores: [3, 2], order: [1, 0], protected: [], window: 1, reference: 1.5 },
  ...{ calibration, milliseconds: 4, peakGpuBytes: 5, device },
};
const choice = { unit: 'half', count: 1, generations: 2, offspring: 4, survivors: [1], tokens: [128], seed: 1 };
const evolution = {
  ...{ removed: [{ layer: 0, part: 'mlp' }], trace: [{ generation: 0, kl: 0.5, evaluations: 4 }], choice },
  ...{ perplexity: 6, passes: { made: 3, apart: 9 } },
};
const report = {
  version: 1,
  created: '2026-11-20T10:00:00.000Z',
  model: {
    ...{ id: 'm', source: 'demo', revision: 'r', architecture: 'llama', shape, parameters: 110, storedBytes: 440 },
    ...{ dtype: 'F32', tokenizer: true, downloadedBytes: 0, lastUsed: 1 },
  },
  device: { adapter: 'apple m2', identity: 'i', software: false, features: [], limits: { maxBufferSize: 1 } },
  calibration,
  scores: [scores, { ...scores, criterion: 'evopress', evolution }],
  comparison: [row('base'), row('v1', 1)],
};

test('a report of version 1 comes back whole, under the names of today', () => {
  const { record, dropped } = restore(JSON.parse(JSON.stringify(report)));
  expect(dropped).toBeNull();
  expect(record).toMatchObject({ version: 2, created: report.created, model: { id: 'm', notes: [] }, calibration });
  expect(record.scores).toEqual([
    scores,
    { ...scores, criterion: 'evopress', evolution: { ...evolution, passes: { made: 3, separate: 9 } } },
  ]);
  const [base, first] = record.comparison;
  const { windows, ...text } = wgsl.text;
  expect(base?.perplexity.wgsl).toEqual({ ...wgsl, text: { ...text, sequences: windows } });
  expect(base).toMatchObject({ parent: null, recipe: [], patchBytes: 0 });
  expect(first).toMatchObject({ parent: 'base', recipe: [{ kind: 'prune', plan: plan(1) }], patchBytes: 0 });
});

test('parts of version 1 that do not fit are left out, and told once', () => {
  const broken = {
    ...report,
    scores: [...report.scores, { ...scores, order: 'none' }],
    calibration: { corpus: 5 },
    comparison: [...report.comparison, { ...row('v2'), plan: [] }, null, { ...row('v3'), ratio: 'a tenth' }],
  };
  const { record, dropped } = restore(broken);
  expect(record.scores).toHaveLength(2);
  expect(record.calibration).toBeNull();
  expect(record.comparison.map(({ variant }) => variant)).toEqual(['base', 'v1']);
  expect(dropped).toBe(
    'An earlier version wrote this record. This version cannot read all of it and leaves out: 1 × calibration, 1 × scores, 3 × variant.',
  );
});

test('its rows come back for the open model, and the console tells what was left out', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { rows } = restoreRows({ ...report, comparison: [...report.comparison, null] }, { id: 'm', revision: 'r' });
  expect(rows.map(({ variant }) => variant)).toEqual(['base', 'v1']);
  expect(warn.mock.calls).toEqual([[expect.stringContaining('leaves out: 1 × variant.')]]);
  warn.mockRestore();
});

test('what is no record of version 1 at all is refused', () => {
  expect(() => restore({ version: 1 })).toThrow("The record's model: expected an object, got nothing.");
  expect(() => restore({ ...report, comparison: 'x' })).toThrow("comparison: expected a list of 0 to 1001, got 'x'");
  const rows = Array.from({ length: 2000 }, () => row('v1', 1));
  expect(() => restore({ ...report, comparison: rows })).toThrow('comparison: expected a list of 0 to 1001');
});
