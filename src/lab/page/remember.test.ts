/** @file When the page remembers a model for the next visit, and when its mark is there. */
import 'fake-indexeddb/auto';
import { beforeEach, expect, test, vi } from 'vitest';
import { LabError } from '../../errors';
import type { ModelInfo } from '../../report/facts';

const entries = vi.hoisted(() => {
  const map = new Map<string, string>();
  const storage: Storage = {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
    key: (index) => [...map.keys()][index] ?? null,
    clear: () => map.clear(),
    get length() {
      return map.size;
    },
  };
  Object.assign(globalThis, { localStorage: storage });
  return map;
});

/** What each call of the laboratory does, by its name. */
const does = vi.hoisted((): { [method: string]: () => unknown } => ({}));
/** Whether the model's mark was there when a call came. */
const marked = vi.hoisted((): { [method: string]: boolean } => ({}));

vi.mock('./lab', async (original) => {
  const call = async (method: string): Promise<unknown> => {
    marked[method] = [...entries.keys()].some((key) => key.startsWith('secateur.opening.'));
    return (does[method] ?? (() => []))();
  };
  const lab = new Proxy({}, { get: (_, name) => () => call(String(name)) });
  return { ...(await original<object>()), lab, loadForPage: () => call('load') };
});

const { loadModel } = await import('./commands');
const { initialState, labStore } = await import('./store');

const layers = Array.from({ length: 3 }, (_, source) => ({ source, heads: 2, kvHeads: 1, headDim: 16, ffn: 48 }));
const shape = {
  family: 'llama',
  vocab: 64,
  hidden: 32,
  layers,
  normEps: 1e-5,
  ropeTheta: 1e4,
  maxPositions: 64,
  tiedHead: true,
};
const model = { id: 'hf:o/n', source: 'o/n@1', shape, tokenizer: false, notes: [] } as unknown as ModelInfo;
const source = 'secateur.source';
const failing = (code: LabError['code']) => () => {
  throw new LabError(code, 'It failed.', 'Try again.');
};

beforeEach(() => {
  vi.stubGlobal('location', new URL('http://localhost/'));
  entries.clear();
  for (const method of Object.keys(does)) delete does[method];
  Object.assign(does, {
    load: () => model,
    storage: () => null,
    calibrate: () => ({ hash: 'h', seed: 1 }),
    importance: () => ({ scores: [1, 2, 3] }),
    perplexity: () => ({ perplexity: 2 }),
    generate: () => ({ text: 'x' }),
  });
  labStore.setState({ ...initialState, ready: true }, true);
});

const marks = () => [...entries.keys()].filter((key) => key.startsWith('secateur.opening.'));

test('the mark is there while the model is loaded, measured and written with, and gone after; the model is remembered', async () => {
  let rememberedAtPerplexity: string | undefined = 'not asked';
  does['perplexity'] = () => {
    rememberedAtPerplexity = entries.get(source);
    return { perplexity: 2 };
  };
  expect(await loadModel('o/n')).toBe(true);
  expect(marked).toMatchObject({ load: true, calibrate: true, importance: true, perplexity: true });
  expect(rememberedAtPerplexity).toBeUndefined();
  expect(entries.get(source)).toBe('o/n@1');
  expect(marks()).toEqual([]);
});

test.each(['network', 'bad-tokenizer', 'aborted', 'out-of-memory'] as const)(
  'a load that fails (%s) leaves no mark and is not remembered',
  async (code) => {
    does['load'] = failing(code);
    entries.set(source, 'demo');
    expect(await loadModel('o/n')).toBe(false);
    expect(marked['load']).toBe(true);
    expect(marks()).toEqual([]);
    expect(entries.get(source)).toBe('demo');
  },
);

test.each([
  ['out-of-memory', undefined],
  ['device-lost', undefined],
  ['worker', undefined],
  ['internal', undefined],
  ['aborted', undefined],
  ['bad-tokenizer', 'o/n@1'], // a model without a tokenizer opens, and has no perplexity
] as const)('a first perplexity that fails (%s): remembered %s; no mark is left', async (code, remembered) => {
  does['perplexity'] = failing(code);
  await loadModel('o/n');
  expect(entries.get(source)).toBe(remembered);
  expect(marks()).toEqual([]);
});

test('while the first perplexity never comes, the mark stays and says how far it came', async () => {
  const reached = new Promise<void>((resolve) => {
    does['perplexity'] = () => {
      resolve();
      return new Promise(() => undefined);
    };
  });
  void loadModel('o/n');
  await reached;
  expect(marks().map((key) => JSON.parse(entries.get(key) ?? '{}'))).toMatchObject([
    { source: 'o/n', stage: 'measuring' },
  ]);
  expect(entries.has(source)).toBe(false);
});
