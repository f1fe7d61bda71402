import { expect, test } from 'vitest';
import { LabError } from '../../../errors';
import { emptyPlan, type PruningPlan } from '../../../pruning/plan';
import type { RetrainStep } from '../../../pruning/variant';
import type { ModelRecord } from '../../../report/record';
import type { ReproducedValue } from '../../../report/reproduction/values';
import type { ComparisonRow, LatencyResult, PerplexityResult, TaskResult } from '../../../report/results';
import type { Scores } from '../../../report/scores';
import type { ReproducingLab } from './measured';
import { reproduce } from './reproduce';

const device = { adapter: 'a', software: false, runtime: 'r' };
const calibration = { corpus: 'calibration', samples: 2, seqLen: 4, seed: 1, tokens: 8, hash: 'h' };
const shape = { layers: [0, 1, 2].map((source) => ({ source, heads: 2, kvHeads: 2, headDim: 4, ffn: 8 })) };
const plan: PruningPlan = { ...emptyPlan('demo'), removeBlocks: [1] };
const scores = (criterion: Scores['criterion'], more: Partial<Scores> = {}): Scores => ({
  ...{ criterion, unit: 'block', scores: [3, 1, 2], order: [1, 2, 0], protected: [], window: 1, calibration },
  ...{ milliseconds: criterion === 'magnitude' ? 1 : 10, peakGpuBytes: 0, device },
  ...more,
});
const perplexity = (value: number, hash = 't'): PerplexityResult => ({
  ...{ perplexity: value, meanNll: Math.log(value), tokens: 6, milliseconds: 5, runtime: 'wgsl', device },
  text: { corpus: 'evaluation', sequences: 2, seqLen: 4, hash },
});
const time: LatencyResult = {
  ...{ batch: 1, prefillMs: 1, decodeMsPerToken: 2, latencyMs: 20, throughput: 1, spread: 0, peakBytes: 0, device },
  ...{ runtime: 'ort-wasm', promptTokens: 2, newTokens: 8, runs: 2, warmups: 1 },
};
const row = (variant: string, more: Partial<ComparisonRow> = {}): ComparisonRow => ({
  ...{ variant, name: variant, plan: emptyPlan('demo'), parameters: 10, ratio: 0, layers: 3, parent: null, recipe: [] },
  ...{ patchBytes: 0, perplexity: { wgsl: perplexity(2) }, latency: [] },
  ...more,
});
const v1 = row('v1', {
  ...{ plan, parent: 'base', recipe: [{ kind: 'prune', plan }], perplexity: { wgsl: perplexity(4) } },
  latency: [
    { ...time, speedUp: { ratio: 1.5, low: 1, high: 2, against: 'base', decode: null, pairs: 2, inTurns: true } },
  ],
});
const record = (more: Partial<ModelRecord> = {}): ModelRecord => ({
  ...{
    version: 2,
    created: '',
    program: 'p',
    device: null,
    calibration,
    widthScores: [],
    searches: {},
    evolution: null,
  },
  model: {
    ...{ id: 'demo', source: 'demo', revision: '1', architecture: 'a', shape, parameters: 10, storedBytes: 1 },
    ...{ dtype: 'F16', tokenizer: true, downloadedBytes: 0, lastUsed: 0, notes: [] },
  } as unknown as ModelRecord['model'],
  scores: [scores('ppl'), scores('magnitude')],
  comparison: [row('base'), v1],
  ...more,
});

const training: RetrainStep = {
  ...{ kind: 'retrain', method: 'full', steps: 3, batch: 1, learningRate: 1e-3, seed: 1, setting: { clip: 2 } },
  text: { corpus: 'calibration', samples: 4, seqLen: 8, seed: 1, hash: 'rows' },
};
const trained = row('v2', {
  ...{ plan, parent: 'v1', recipe: [...v1.recipe, training], perplexity: { wgsl: perplexity(3) } },
});

type Call = [method: string, ...args: unknown[]];

/** A laboratory that measures what the report says, unless told otherwise. */
function labOf(does: Partial<Record<keyof ReproducingLab, (...args: never[]) => unknown>> = {}) {
  const calls: Call[] = [];
  const answers: Record<string, (...args: never[]) => unknown> = {
    load: () => ({ id: 'demo', revision: '1' }),
    device: () => null,
    calibrate: () => calibration,
    importance: (criterion: Scores['criterion']) => scores(criterion),
    variant: () => ({ id: 'v9' }),
    retrain: () => ({ variant: { id: 'v10', recipe: [training] } }),
    discard: () => undefined,
    perplexity: (id: string) => perplexity(id === 'base' ? 2 : 4.001),
    latency: () => [{ ...time, decodeMsPerToken: 7, speedUp: { ...v1.latency[0]!.speedUp, ratio: 1.2 } }],
    ...(does as Record<string, (...args: never[]) => unknown>),
  };
  const lab = new Proxy({} as ReproducingLab, {
    get:
      (_, name) =>
      async (...args: never[]) => {
        calls.push([String(name), ...args]);
        return answers[String(name)]!(...args);
      },
  });
  return { lab, calls };
}

const named = (values: readonly ReproducedValue[], name: RegExp): ReproducedValue => {
  const found = values.find(({ value }) => name.test(value));
  if (!found) throw new Error(`no value ${name} among ${values.map(({ value }) => value).join('; ')}`);
  return found;
};

test('measures every number again, the cheap ones first, and compares', async () => {
  const { lab, calls } = labOf();
  const heard: string[] = [];
  const progress: number[] = [];
  const values = await reproduce(lab, record(), {
    onValue: ({ value }) => heard.push(value),
    onProgress: ({ done, unit }) => unit === 'parts' && progress.push(done),
  });
  expect(calls.map(([method, first]) => `${method} ${typeof first === 'string' ? first : ''}`.trim())).toEqual([
    ...['load demo', 'device', 'importance magnitude', 'calibrate', 'importance ppl', 'variant'],
    ...['perplexity base', 'perplexity v9', 'latency v9'],
  ]);
  expect(heard).toEqual(values.map(({ value }) => value));
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
  expect(named(values, /Magnitude/)).toMatchObject({ agrees: true, rank: 1, deviation: 0 });
  expect(named(values, /Perplexity of “v1”/)).toMatchObject({ reported: 4, here: 4.001, agrees: true, variant: 'v1' });
  expect(named(values, /Time per token/)).toMatchObject({
    reported: 2,
    here: 7,
    agrees: null,
    why: 'another device’s',
  });
  expect(named(values, /Speed-up/)).toMatchObject({ reported: 1.5, here: 1.2, unit: '×' });
  expect(calls.find(([method]) => method === 'latency')![2]).toMatchObject({
    against: 'base',
    batchSizes: [1],
    runs: 2,
  });
});

test('a part that fails does not stop the others; other tokens are not compared', async () => {
  const { lab } = labOf({
    importance: (criterion: string) => {
      if (criterion === 'ppl') throw new LabError('no-webgpu', 'No GPU here.', 'Use another browser.');
      return scores('magnitude', { scores: [3, 1, 2.5] });
    },
    perplexity: (id: string) => perplexity(2, id === 'base' ? 'other' : 't'),
  });
  const values = await reproduce(lab, record());
  expect(named(values, /Perplexity, blocks/)).toMatchObject({ here: null, agrees: null, why: 'No GPU here.' });
  expect(named(values, /Magnitude/)).toMatchObject({ agrees: false, reported: 2, here: 2.5 });
  expect(named(values, /original model/)).toMatchObject({ here: null, why: expect.stringMatching(/Other tokens/) });
  expect(named(values, /Perplexity of “v1”/)).toMatchObject({ agrees: false, deviation: 0.5 });
});

test('scores of a calibration with other tokens are not measured; those of weights alone are', async () => {
  const { lab, calls } = labOf({ calibrate: () => ({ ...calibration, hash: 'other' }) });
  const values = await reproduce(lab, record(), { skip: ['latencies'] });
  expect(named(values, /Perplexity, blocks/)).toMatchObject({ here: null, why: expect.stringMatching(/Other tokens/) });
  expect(named(values, /Magnitude/).agrees).toBe(true);
  expect(named(values, /Time per token/).why).toBe('You left it out.');
  expect(calls.some(([method]) => method === 'latency')).toBe(false);
});

test('another revision of the model is refused before anything is measured', async () => {
  const { lab, calls } = labOf({ load: () => ({ id: 'demo', revision: '2' }) });
  await expect(reproduce(lab, record())).rejects.toMatchObject({ code: 'changed' });
  expect(calls.map(([method]) => method)).toEqual(['load']);
  const files = { ...record().model, id: 'files:abc', source: 'a folder' };
  const comparison = [row('base', { plan: emptyPlan('files:abc') })];
  const missing = labOf({
    load: () => {
      throw new LabError('not-found', 'Not stored.', '');
    },
    report: () => {
      throw new LabError('not-loaded', 'No model.', '');
    },
  });
  await expect(reproduce(missing.lab, record({ model: files, comparison }))).rejects.toMatchObject({
    ...{ code: 'not-found', message: expect.stringMatching(/own files/) },
  });
});

test('one part can be skipped, a long search left out, and all of it cancelled', async () => {
  const steps = [{ layer: 1, part: 'block' as const, perplexity: 3 }];
  const searches = { sleb: { steps, complete: true, plus: false, calibration, milliseconds: 1e9, device } };
  const skipped = new AbortController();
  const { lab, calls } = labOf({
    importance: (criterion: Scores['criterion'], { signal }: { signal?: AbortSignal }) => {
      signal?.throwIfAborted();
      return scores(criterion);
    },
  });
  const values = await reproduce(lab, record({ searches }), {
    mostSearchMs: 1000,
    onPart: ({ name }) => {
      if (!/Perplexity, blocks/.test(name)) return undefined;
      skipped.abort();
      return skipped.signal;
    },
  });
  expect(named(values, /Perplexity, blocks/)).toMatchObject({ here: null, why: 'You skipped it.' });
  expect(named(values, /SLEB/).why).toMatch(/longer than/);
  expect(calls.some(([, first]) => first === 'sleb')).toBe(false);
  const cancel = new AbortController();
  const stop = reproduce(lab, record(), { signal: cancel.signal, onValue: () => cancel.abort() });
  await expect(stop).rejects.toMatchObject({ code: 'aborted' });
});

test('a training is repeated on the variant that it began with, and its number compared', async () => {
  const { lab, calls } = labOf({ perplexity: (id: string) => perplexity(id === 'v10' ? 3.02 : id === 'base' ? 2 : 4) });
  const values = await reproduce(lab, record({ comparison: [row('base'), v1, trained] }), { skip: ['latencies'] });
  const [, parent, request] = calls.find(([method]) => method === 'retrain')!;
  expect(parent).toBe('v9');
  expect(request).toMatchObject({
    method: 'full',
    steps: 3,
    clip: 2,
    corpus: 'calibration',
    samples: 4,
    seqLen: 8,
    seed: 1,
  });
  expect(named(values, /Perplexity of “v2”/)).toMatchObject({ reported: 3, here: 3.02, agrees: true });
});

test('a training on other rows is no training of the report: its variant goes, and the reason stays', async () => {
  const other = { ...training, text: { ...training.text, hash: 'other' } };
  const { lab, calls } = labOf({ retrain: () => ({ variant: { id: 'v10', recipe: [other] } }) });
  const values = await reproduce(lab, record({ comparison: [row('base'), v1, trained] }), { skip: ['latencies'] });
  expect(calls).toContainEqual(['discard', 'v10']);
  expect(named(values, /Perplexity of “v2”/)).toMatchObject({ here: null, why: expect.stringMatching(/Other rows/) });
});

test('the built-in task is asked again, a few turned answers agree; questions of a file and other questions are told apart', async () => {
  const asked = (task: string, right: number, more: Partial<TaskResult> = {}): TaskResult => ({
    ...{ task, items: 100, accuracy: right / 100, accuracyNorm: right / 100, standardError: 0.04 },
    ...{ hash: 'q', milliseconds: 5, device },
    ...more,
  });
  const tasks = [asked('story-endings', 60), asked('mine.jsonl', 50)];
  const comparison = [row('base', { tasks }), { ...v1, tasks: [asked('story-endings', 40)] }];
  const run = async (right: number, more: Partial<TaskResult> = {}) => {
    const { lab, calls } = labOf({
      evaluate: (id: string) => asked('story-endings', id === 'base' ? 60 : right, more),
    });
    const values = await reproduce(lab, record({ comparison }), { skip: ['scores', 'perplexities', 'latencies'] });
    return { values, calls: calls.filter(([method]) => method === 'evaluate') };
  };
  const { values, calls } = await run(41);
  expect(calls.map(([, id, request]) => [id, request])).toEqual([
    ['base', expect.objectContaining({ task: 'story-endings', limit: 100 })],
    ['v9', expect.objectContaining({ task: 'story-endings', limit: 100 })],
  ]);
  const variant = /answers of “v1” in story-endings/;
  expect(named(values, variant)).toMatchObject({
    ...{ kind: 'task', unit: 'share', reported: 0.4, here: 0.41, agrees: true, variant: 'v1' },
    why: 'Right answers to 100 questions: 40 in the report, 41 here; by length 40 and 41.',
  });
  expect(named(values, /original model in story-endings/)).toMatchObject({ agrees: true, deviation: 0 });
  expect(named(values, /mine\.jsonl/)).toMatchObject({ here: null, why: expect.stringMatching(/file 'mine\.jsonl'/) });
  expect(named((await run(42)).values, variant)).toMatchObject({ here: 0.42, agrees: false });
  expect(named((await run(40, { accuracyNorm: 0.5 })).values, variant).agrees).toBe(false);
  const other = named((await run(40, { hash: 'r' })).values, variant);
  expect(other).toMatchObject({ here: null, agrees: null, why: expect.stringMatching(/^Other questions/) });
});
