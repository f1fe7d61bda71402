/** @file What the page's benchmark asks of the laboratory: variant and whole model in one measurement, a broken model left out. */
import 'fake-indexeddb/auto';
import { beforeEach, expect, test, vi } from 'vitest';
import { LabError } from '../../errors';
import { emptyPlan } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import type { Runtime } from '../../report/results';
import { benchmarkDraft, resetPlan, toggleBlock } from './commands';
import { initialState, labStore } from './store';

const asked = vi.hoisted(() => ({ calls: [] as string[], scored: [] as string[], broken: [] as string[] }));

vi.mock('./lab', async (original) => {
  const idOf = (target: unknown): string => (typeof target === 'string' ? target : 'plan');
  const refuseBroken = (id: string): void => {
    if (asked.broken.includes(id)) throw new LabError('non-finite', 'x.weight[5] = Infinity', 'Get another copy.');
  };
  const lab = {
    variant: async () => ({ id: 'v1' }),
    variants: async () => [],
    comparison: async () => [
      { variant: 'base', perplexity: Object.fromEntries(asked.scored.map((runtime) => [runtime, {}])), latency: [{}] },
    ],
    async latency(id: string, { against }: { against?: string }) {
      asked.calls.push(`latency ${id}${against ? ` against ${against}` : ''}`);
      refuseBroken(id);
      if (against) refuseBroken(against);
      return [];
    },
    async perplexity(target: unknown, { runtime }: { runtime?: Runtime }) {
      const id = idOf(target);
      asked.calls.push(`perplexity ${id} ${runtime ?? 'any'}`);
      refuseBroken(id);
      return { perplexity: 2, text: { hash: 'h' } };
    },
    generate: async () => ({ text: '' }),
  };
  return { ...(await original<object>()), lab };
});

const layers = Array.from({ length: 3 }, (_, source) => ({ source, heads: 2, kvHeads: 1, headDim: 16, ffn: 48 }));
const shape = { family: 'llama', vocab: 64, hidden: 32, layers, normEps: 1e-5, ropeTheta: 1e4, maxPositions: 64 };
let models = 0;

beforeEach(() => {
  vi.stubGlobal('location', new URL('http://localhost/?model='));
  models += 1; // perplexities are remembered by plan for as long as a model is open
  const model = { id: `m${models}`, source: 'm', shape: { ...shape, tiedHead: true } } as unknown as ModelInfo;
  const device = { adapter: 'x', software: true } as unknown as NonNullable<typeof initialState.device>;
  const plan = { ...emptyPlan(model.id), removeBlocks: [1] };
  labStore.setState({ ...initialState, ready: true, model, device, plan }, true);
  Object.assign(asked, { calls: [], scored: [], broken: [] });
});

test('a variant is timed in turns with the whole model, anew with each benchmark', async () => {
  asked.scored = ['wgsl', 'ort-wasm'];
  await benchmarkDraft();
  expect(asked.calls).toEqual(['latency v1 against base', 'perplexity v1 wgsl', 'perplexity v1 ort-wasm']);
});

test('the whole model gets its perplexities where it has none, and by itself no speed-up', async () => {
  await benchmarkDraft();
  expect(asked.calls.slice(0, 3)).toEqual([
    'perplexity base wgsl',
    'perplexity base ort-wasm',
    'latency v1 against base',
  ]);
  asked.calls = [];
  resetPlan();
  await benchmarkDraft();
  expect(asked.calls.filter((call) => call.startsWith('latency'))).toEqual(['latency base']);
});

test('a broken whole model keeps no variant without the block from its numbers', async () => {
  asked.broken = ['base'];
  await benchmarkDraft();
  expect(asked.calls).toContain('latency v1');
  expect(labStore.getState().tasks.benchmark?.phase).toBe('done');

  toggleBlock(2);
  await vi.waitFor(() => expect(labStore.getState().live?.result.perplexity).toBe(2));
  expect(labStore.getState()).toMatchObject({ base: null, tasks: { live: { phase: 'done' } } });
  resetPlan();
  await vi.waitFor(() =>
    expect(labStore.getState().tasks.live).toMatchObject({ phase: 'failed', failure: { code: 'non-finite' } }),
  );
});
