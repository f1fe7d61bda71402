import { expect, test } from 'vitest';
import { criteria, widthMethods } from '../../importance/methods';
import { checkArguments, checkLatencyText, checkTask } from './arguments';

const plan = { version: 1, model: 'm', removeBlocks: [1], removeAttention: [], removeMlp: [] };

/** Calls that are meant, each with its method. */
const good: [method: string, ...args: unknown[]][] = [
  ['load', 'demo', {}],
  ['load', [], { revision: 'main', token: 'hf_x', hub: 'http://localhost:1' }],
  ['tokenize', '', { specialTokens: true }],
  ['detokenize', [0, 5]],
  ['addText', 'a text', { title: 'mine' }],
  ['addText', new File(['x'], 'x.txt'), {}],
  ['calibrate', {}],
  ['calibrate', { corpus: 'bookcorpus', samples: 10, seqLen: 128, seed: 1234, addBosToEvery: false }],
  ['importance', 'ppl', {}],
  ['importance', 'evopress', { unit: 'half', count: 3, survivors: [4, 1], tokens: [256, 1280], generations: 0 }],
  ['importance', 'sleb', { barriers: { first: 1, last: 0 }, plus: true, window: undefined }],
  ['survey', { width: true }],
  ['widthImportance', 'flap', { seed: 0 }],
  ['plan', { blocks: [] }],
  ['plan', { attention: [1], mlp: [0] }],
  ['plan', { criterion: 'ppl', count: 0 }],
  ['plan', { criterion: 'ppl', ratio: 0.25, unit: 'mlp' }],
  ['plan', { width: 'flap', ratio: 0.2 }],
  ['variant', plan, {}],
  ['variant', plan, { name: 'two less' }],
  ['perplexity', 'base', { tokenIds: [[1, 2]], stride: 64 }],
  ['perplexity', plan, { runtime: 'ort-wasm', samples: 16 }],
  ['latency', 'base', {}],
  ['latency', 'v1', { batchSizes: [1, 8], warmups: 0, runs: 1, promptTokens: 1, newTokens: 1 }],
  ['evaluate', 'base', { task: 'story-endings' }],
  [
    'evaluate',
    'v1',
    { task: new File(['x'], 'x.jsonl'), labels: new File(['0'], 'x.lst'), limit: 1, runtime: 'ort-wasm' },
  ],
  ['generate', 'base', '', {}],
  ['generate', plan, 'Once', { temperature: 0, topK: 0, topP: 1, newTokens: 1, seed: 7, runtime: 'wgsl' }],
  [
    'compare',
    { budget: { ratio: 0.2 }, methods: ['ppl', 'taylor+', 'width:random'], roundTo: [8, 64], batchSizes: [1, 8] },
  ],
  ['compare', { budget: { bytes: 1e6 }, methods: ['flap'], contextTokens: 512, runs: 2, repair: 'none' }],
  ['tune', { budgetMs: 10, force: true }],
  ['profile', { pass: 'taylor', samples: 1 }],
  ['export', 'base', 'onnx', {}],
  ['restoreComparison', []],
  ['restoreComparison', [{ variant: 'base', name: 'original model', plan, perplexity: {}, latency: [] }]],
  ['memory'],
];

test.each(good)('lab.%s of what it takes', (method, ...args) => {
  expect(() => checkArguments(method, args)).not.toThrow();
});

const numbers = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -3,
  0.5,
  1e18,
  '5',
  null,
  [],
  {},
  true,
];

/** A call but for one field, the field's name in the message, and values that it refuses. */
const bad: [method: string, make: (value: unknown) => unknown[], name: string, values: unknown[]][] = [
  ['generate', (x) => ['base', 'x', { newTokens: x }], 'newTokens', [...numbers, 0, 1e9]],
  ['generate', (x) => ['base', 'x', { temperature: x }], 'temperature', numbers.filter((x) => x !== 0.5)],
  ['generate', (x) => ['base', 'x', { topK: x }], 'topK', numbers],
  ['generate', (x) => ['base', 'x', { topP: x }], 'topP', [...numbers.filter((x) => x !== 0.5), 1.5]],
  ['generate', (x) => ['base', 'x', { seed: x }], 'seed', numbers],
  ['generate', (x) => ['base', 'x', { runtime: x }], 'runtime', ['WGSL', 'toString', 5, null]],
  ['generate', (x) => ['base', x, {}], 'prompt', [42, null, undefined, ['a'], {}]],
  ['generate', (x) => [x, 'x', {}], 'target', [42, null, undefined, [], () => 1]],
  ['generate', (x) => ['base', 'x', x], 'options', [42, null, 'greedy', []]],
  ['evaluate', (x) => ['base', { task: 'x', limit: x }], 'limit', [...numbers, 0, 1e9]],
  ['evaluate', (x) => ['base', { task: x }], 'task', [42, null, {}]],
  ['evaluate', (x) => ['base', { task: 'x', labels: x }], 'labels', ['0', null, 3]],
  ['perplexity', (x) => ['base', { samples: x }], 'samples', [...numbers, 0, 1e9]],
  ['perplexity', (x) => ['base', { seqLen: x }], 'seqLen', [...numbers, 1, 1e9]],
  ['perplexity', (x) => ['base', { stride: x }], 'stride', [...numbers, 0]],
  ['perplexity', (x) => ['base', { text: x }], 'text', [42, null, ['a']]],
  ['perplexity', (x) => ['base', { corpus: x }], 'corpus', [42, null, 'x'.repeat(5000)]],
  ['perplexity', (x) => ['base', { addBosToEvery: x }], 'addBosToEvery', ['no', 0]],
  ['latency', (x) => ['base', { batchSizes: x }], 'batchSizes', [[], 4, 'all', new Array(1000).fill(1)]],
  ['latency', (x) => ['base', { batchSizes: [1, x] }], 'batchSizes.1', [...numbers, 0]],
  ['latency', (x) => ['base', { runs: x }], 'runs', [...numbers, 0, 1e9]],
  ['latency', (x) => ['base', { warmups: x }], 'warmups', numbers],
  ['latency', (x) => ['base', { promptTokens: x }], 'promptTokens', [...numbers, 0]],
  ['latency', (x) => ['base', { newTokens: x }], 'newTokens', [...numbers, 0, 1e9]],
  ['latency', (x) => ['base', { runtime: x }], 'runtime', ['wgsl', 'cuda']],
  ['latency', (x) => ['base', { precision: x }], 'precision', ['half', 16]],
  ['latency', (x) => ['base', { against: x }], 'against', [5, null]],
  ['latency', (x) => [x, {}], 'id', [plan, 5, undefined]],
  ['calibrate', (x) => [{ samples: x }], 'samples', [...numbers, 0, 1e9]],
  ['calibrate', (x) => [{ seed: x }], 'seed', numbers],
  ['calibrate', (x) => [{ hub: x }], 'hub', [5]],
  ['importance', (x) => [x, {}], 'criterion', ['best', 'constructor', 5, undefined]],
  ['importance', (x) => ['angular', { window: x }], 'window', [...numbers, 0]],
  ['importance', (x) => ['ppl', { unit: x }], 'unit', ['head', 5]],
  ['importance', (x) => ['sleb', { count: x }], 'count', [...numbers, 0]],
  ['importance', (x) => ['sleb', { barriers: x }], 'barriers', [5, [1, 1]]],
  ['importance', (x) => ['sleb', { barriers: { first: x } }], 'barriers.first', numbers],
  ['importance', (x) => ['evopress', { survivors: x }], 'survivors', [[], 5]],
  ['importance', (x) => ['evopress', { tokens: [x] }], 'tokens.0', [...numbers, 0]],
  ['importance', (x) => ['evopress', { offspring: x }], 'offspring', [...numbers, 0]],
  ['survey', (x) => [{ window: x }], 'window', numbers],
  ['survey', (x) => [{ plus: x }], 'plus', ['yes', 1]],
  ['widthImportance', (x) => [x, {}], 'method', ['best', 5]],
  ['plan', (x) => [x], 'request', [5, null, undefined, [], {}, { block: [1] }, { criterion: 'ppl' }]],
  ['plan', (x) => [{ criterion: 'ppl', count: x }], 'count', numbers],
  ['plan', (x) => [{ criterion: 'ppl', ratio: x }], 'ratio', [...numbers.filter((x) => x !== 0.5), 1.5]],
  ['plan', (x) => [{ criterion: x, count: 1 }], 'criterion', ['best', 5]],
  ['plan', (x) => [{ blocks: x }], 'blocks', [5, 'all', null]],
  ['plan', (x) => [{ blocks: [0, x] }], 'blocks.1', numbers],
  ['plan', (x) => [{ width: x, ratio: 0.2 }], 'width', ['best']],
  ['compare', (x) => [{ budget: x, methods: ['ppl'] }], 'budget', [5, {}, { ratio: 2 }, { ratio: 0.2, bytes: 5 }]],
  ['compare', (x) => [{ budget: { ratio: 0.2 }, methods: x }], 'methods', [5, 'ppl', [], [5]]],
  ['compare', (x) => [{ budget: { ratio: 0.2 }, methods: ['ppl'], runs: x }], 'runs', [...numbers, 1]],
  ['compare', (x) => [{ budget: { ratio: 0.2 }, methods: ['ppl'], roundTo: x }], 'roundTo', [8, [7], ['8']]],
  ['compare', (x) => [x], 'request', [5, undefined, {}, { budget: { ratio: 0.2 } }, { methods: ['ppl'] }]],
  ['variant', (x) => [x, {}], 'plan', [5, 'v1', null, undefined]],
  ['variant', (x) => [plan, { name: x }], 'name', [5, 'x'.repeat(5000)]],
  ['tune', (x) => [{ budgetMs: x }], 'budgetMs', [Number.NaN, -1, Number.POSITIVE_INFINITY, '5']],
  ['profile', (x) => [{ samples: x }], 'samples', [...numbers, 0]],
  ['profile', (x) => [{ pass: x }], 'pass', ['backward']],
  ['tokenize', (x) => [x, {}], 'text', [5, null, undefined]],
  ['tokenize', (x) => ['x', { specialTokens: x }], 'specialTokens', ['yes']],
  ['detokenize', (x) => [x], 'ids', [5, 'x', undefined]],
  ['detokenize', (x) => [[1, x]], 'ids.1', numbers],
  ['addText', (x) => [x, {}], 'source', [5, null, undefined, []]],
  ['addText', (x) => ['x', { title: x }], 'title', [5]],
  ['load', (x) => [x, {}], 'source', [5, null, undefined, {}]],
  ['load', (x) => ['demo', { token: x }], 'token', [5, null]],
  ['export', (x) => ['base', 'onnx', { dtype: x }], 'dtype', ['q1', 16, null]],
  ['discard', (x) => [x], 'id', [5, undefined]],
  ['restoreComparison', (x) => [x], 'rows', [5, {}, [5], [{ variant: 'base' }]]],
];

test.each(bad.map(([method, make, name, values]) => ({ method, make, name, values })))(
  'lab.$method refuses by name: $name',
  ({ method, make, name, values }) => {
    for (const value of values) {
      expect(() => checkArguments(method, make(value)), `${name} = ${String(value)}`).toThrow(
        expect.objectContaining({
          code: 'bad-argument',
          message: expect.stringMatching(new RegExp(`^${name.replace('.', '\\.')}(\\.\\w+)*: expected .+, got .+\\.$`)),
        }),
      );
    }
  },
);

test('the message says what was expected and what came', () => {
  const message = (method: string, ...args: unknown[]) => {
    try {
      checkArguments(method, args);
      return '';
    } catch (thrown) {
      return (thrown as Error).message;
    }
  };
  expect(message('generate', 'base', 'x', { temperature: Number.NaN })).toBe(
    'temperature: expected a number from 0 to 1000000, got NaN.',
  );
  expect(message('generate', 'base', 42, {})).toMatch(/^prompt: expected a string of at most .*, got 42\.$/);
  expect(message('latency', 'base', { batchSizes: [] })).toBe('batchSizes: expected a list of 1 to 64, got [].');
  expect(message('perplexity', 'base', { runtime: 'cuda' })).toBe(
    "runtime: expected one of 'wgsl', 'ort-webgpu', 'ort-wasm', got 'cuda'.",
  );
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  expect(message('generate', 'base', circular, {})).toContain('got an object that is not plain data');
});

test('signal and progress are looked at where they stay', () => {
  const { signal } = new AbortController();
  expect(() => checkTask({ signal, onProgress: () => undefined }, 'tune')).not.toThrow();
  for (const task of [5, 'x', [], { signal: {} }, { onProgress: 'log' }]) {
    expect(() => checkTask(task, 'tune')).toThrow(expect.objectContaining({ code: 'bad-argument' }));
  }
});

test('a latency fits what sessions run', () => {
  expect(() => checkLatencyText(256, {})).not.toThrow();
  expect(() => checkLatencyText(256, { promptTokens: 129 })).toThrow(
    'promptTokens and newTokens: expected at most 256 together, got 257.',
  );
});

test('every registered method is accepted, in its units; an unknown one is refused with the list', () => {
  for (const { id, units } of criteria) {
    for (const unit of units) expect(() => checkArguments('importance', [id, { unit }])).not.toThrow();
    expect(() => checkArguments('plan', [{ criterion: id, count: 1 }])).not.toThrow();
    expect(() => checkArguments('importance', ['best', {}])).toThrow(`'${id}'`);
    expect(() => checkArguments('plan', [{ criterion: 'best', count: 1 }])).toThrow(`'${id}'`);
  }
  for (const { id } of widthMethods) {
    expect(() => checkArguments('widthImportance', [id, {}])).not.toThrow();
    expect(() => checkArguments('widthImportance', ['best', {}])).toThrow(`'${id}'`);
  }
});
