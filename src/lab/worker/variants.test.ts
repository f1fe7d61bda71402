import 'fake-indexeddb/auto';
import type { UseStore } from 'idb-keyval';
import { expect, test, vi } from 'vitest';
import type { ModelView } from '../../model/view';
import { emptyPlan, type PruningPlan } from '../../pruning/plan';
import { restoreRows } from '../../report/record';
import type { LatencyResult, PerplexityResult, TaskResult } from '../../report/results';
import { PatchStore } from '../../shards/store/patchStore';
import { newDatabase } from '../../shards/testing/memory';
import { encode, fileOf, tinySource, tinyTensorsAs } from '../../weights/testing/tinySource';
import { Variants, type ViewListener } from './variants';

const { shape, weights } = await tinySource(tinyTensorsAs('F32'));
const base = { id: 'm', revision: '1', shape, weights };

const without = (...removeBlocks: number[]): PruningPlan => ({ ...emptyPlan('m'), removeBlocks });
const mlpless = (...removeMlp: number[]): PruningPlan => ({ ...emptyPlan('m'), removeMlp });
const device = { adapter: 'test', software: true, runtime: 'test' };
const ppl = (perplexity: number): PerplexityResult => ({
  perplexity,
  meanNll: Math.log(perplexity),
  tokens: 10,
  milliseconds: 1,
  text: { corpus: 'evaluation', sequences: 1, seqLen: 128, hash: '' },
  runtime: 'wgsl',
  device,
});
const latency = (batch: number, latencyMs: number): LatencyResult => ({
  batch,
  prefillMs: 1,
  decodeMsPerToken: 1,
  latencyMs,
  throughput: 1,
  spread: 0,
  peakBytes: 1,
  runtime: 'ort-wasm',
  promptTokens: 12,
  newTokens: 128,
  runs: 3,
  warmups: 1,
  device,
});

const runOf =
  (use: UseStore): ConstructorParameters<typeof PatchStore>[0] =>
  (mode, _what, body) =>
    use(mode, body);

/** A database with the model's manifest, as a tab finds it again after a reload. */
async function stored() {
  const use = newDatabase();
  await use('readwrite', async (store) => store.put({ id: 'm', revision: '1' }, ['model', 'm']));
  const open = (listener?: ViewListener) => {
    const patches = new PatchStore(runOf(use), async () => null);
    return Variants.open(base, patches, listener);
  };
  return { use, open };
}
const fresh = async (listener?: ViewListener) => (await stored()).open(listener);

const down = 'model.layers.1.mlp.down_proj.weight';
const patchOf = (value: number, name = down, dims = [16, 24]) =>
  fileOf({ name, dtype: 'F32', dims, data: encode(new Array(dims.reduce((a, b) => a * b, 1)).fill(value), 'F32') });
const valueIn = async (view: ModelView) => {
  const ref = view.weights.layerTensor('downProj', 1);
  return new Float32Array((await view.weights.read(ref)).buffer)[0];
};

test('base is there, variants are numbered, equal plans are one variant', async () => {
  const variants = await fresh();
  const first = await variants.add(without(1));
  expect(first).toMatchObject({ id: 'v1', name: 'without 1', parent: 'base', patchBytes: 0 });
  expect(first.recipe).toEqual([{ kind: 'prune', plan: without(1) }]);
  expect(first.shape.layers.map((layer) => layer.source)).toEqual([0]);
  expect((await variants.add({ ...without(1) })).id).toBe('v1');
  expect((await variants.add(without(1), 'mine')).id).toBe('v2');
  expect(variants.list().map(({ id, parent }) => [id, parent])).toEqual([
    ['base', null],
    ['v1', 'base'],
    ['v2', 'base'],
  ]);
  expect((await Promise.all([variants.add(without(0)), variants.add(without(0))])).map(({ id }) => id)).toEqual([
    'v3',
    'v3',
  ]);
});

test('a variant without a patch has the very weights of the base, one with a patch differs in its tensors alone', async () => {
  const variants = await fresh();
  const plain = await variants.add(without(0));
  expect(variants.view(plain.id)).toMatchObject({ id: 'v1', weights });
  expect(variants.view('base').weights).toBe(weights);
  const own = await variants.addPatched(without(0), patchOf(0.5));
  expect(own).toMatchObject({ id: 'v2', name: 'without 0, patched', shape: plain.shape });
  expect(own.patchBytes).toBe(patchOf(0.5).size);
  expect(own.recipe[1]).toMatchObject({ kind: 'patch', tensors: [{ name: down, dtype: 'F32', dims: [16, 24] }] });
  expect(await valueIn(variants.view('v2'))).toBe(0.5);
  expect(await valueIn(variants.view('v1'))).not.toBe(0.5);
  // The same patch again is another variant, and a plan alone never means one with weights of its own.
  expect((await variants.addPatched(without(0), patchOf(0.5))).id).toBe('v3');
  expect((await variants.add(without(0))).id).toBe('v1');
  expect(variants.resolve(without(0)).view.id).toBe('v1');
});

test('discarding forgets the variant; base stays; no id comes again', async () => {
  const { open } = await stored();
  const variants = await open();
  await variants.add(without(0));
  await variants.discard('v1');
  expect(() => variants.resolve('v1')).toThrow(/expected one of base, got 'v1'/);
  await expect(variants.discard('base')).rejects.toThrow(/cannot be discarded/);
  expect((await variants.add(without(0))).id).toBe('v2');
  const own = await variants.addPatched(without(0), patchOf(1));
  await variants.discard(own.id);
  expect((await (await open()).add(without(1))).id).toBe('v4');
});

test('a plan stands for an unlisted variant with an id of its own, which is kept for a while', async () => {
  const listener = { gone: vi.fn(), renamed: vi.fn() };
  const variants = await fresh(listener);
  const resolved = variants.resolve(without(1));
  expect(resolved).toMatchObject({ id: null, view: { id: 'plan1', weights } });
  expect(resolved.view.shape.layers.map((layer) => layer.source)).toEqual([0]);
  expect(variants.resolve(without(1)).view).toBe(resolved.view);
  expect(variants.resolve(mlpless(1)).view.id).toBe('plan2');
  expect(variants.list()).toHaveLength(1);
  expect(variants.resolve(emptyPlan('m')).view).toBe(variants.view('base'));
  // When it is listed, what was opened for it stays.
  await variants.add(without(1));
  expect(listener.renamed).toHaveBeenCalledExactlyOnceWith(resolved.view, variants.view('v1'));
  expect(variants.resolve(without(1)).view.id).toBe('v1');
  await variants.discard('v1');
  expect(listener.gone).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ id: 'v1' }));
});

test('unlisted variants are bounded: the one that was asked for longest ago goes', async () => {
  const layers = Array.from({ length: 20 }, (_, source) => ({ ...shape.layers[0]!, source }));
  const gone: string[] = [];
  const { use } = await stored();
  const deep = { ...base, shape: { ...shape, layers } };
  const listener = { gone: ({ id }: ModelView) => void gone.push(id), renamed: () => undefined };
  const variants = await Variants.open(deep, new PatchStore(runOf(use), async () => null), listener);
  for (let block = 0; block < 20; block++) {
    variants.resolve(without(0)); // asked for again and again
    variants.resolve(without(block));
  }
  expect(gone).toEqual(['plan2', 'plan3', 'plan4', 'plan5']);
  expect(variants.resolve(without(0)).view.id).toBe('plan1');
});

test('the comparison keeps the newest number of each kind', async () => {
  const variants = await fresh();
  variants.recordPerplexity('base', ppl(5));
  variants.recordPerplexity('base', ppl(6));
  variants.recordLatency('base', [latency(1, 10), latency(2, 20)]);
  variants.recordLatency('base', [latency(1, 11)]);
  const [row] = variants.comparison();
  expect(row?.perplexity.wgsl?.perplexity).toBe(6);
  expect(row?.latency.map(({ batch, latencyMs }) => [batch, latencyMs])).toEqual([
    [2, 20],
    [1, 11],
  ]);
});

test('one result of each task, the newest, also after a reload', async () => {
  const answered = (task: string, accuracy: number): TaskResult => ({
    ...{ task, items: 4, accuracy, accuracyNorm: accuracy, standardError: 0.25, hash: task, device, milliseconds: 1 },
  });
  const variants = await fresh();
  expect(variants.comparison()[0]).not.toHaveProperty('tasks');
  const { id } = await variants.add(without(1), 'v');
  for (const each of [answered('a', 0.25), answered('b', 0.5), answered('a', 0.75)]) variants.recordTask(id, each);
  const expected = [answered('a', 0.75), answered('b', 0.5)];
  expect(variants.comparison()[1]?.tasks).toEqual(expected);
  const again = await fresh();
  await again.restore(restoreRows(JSON.parse(JSON.stringify(variants.comparison())), base).rows);
  expect(again.comparison().map(({ tasks }) => tasks)).toEqual([undefined, expected]);
});

test('a speed-up stays when the same is timed again alone, goes when it is measured anew, and is restored', async () => {
  const variants = await fresh();
  const { id } = await variants.add(without(1));
  const timed = latency(1, 10);
  const speedUp = { ratio: 1.3, low: 1.2, high: 1.4, against: 'base', decode: null, pairs: 3, inTurns: true };
  variants.recordLatency(id, [{ ...timed, speedUp }]);
  variants.recordLatency(id, [{ ...timed, latencyMs: 11 }]);
  const speedUps = () => variants.comparison().flatMap((row) => row.latency.map((each) => each.speedUp));
  expect(speedUps()).toEqual([speedUp]);
  const restored = await fresh();
  await restored.restore(variants.comparison());
  expect(restored.comparison()).toEqual(variants.comparison());
  variants.recordLatency(id, [{ ...timed, speedUp: { ...speedUp, ratio: 2 } }]);
  expect(speedUps()).toEqual([{ ...speedUp, ratio: 2 }]);
  variants.recordLatency(id, [{ ...timed, newTokens: 8 }]);
  expect(speedUps()).toEqual([undefined]);
});

test('after a reload variants are there under their ids, with their weights and their own numbers', async () => {
  const { open } = await stored();
  const before = await open();
  const plain = await before.add(without(0));
  const own = await before.addPatched(without(0), patchOf(0.5), 'repaired');
  for (const [id, value] of [
    ['base', 1],
    [plain.id, 2],
    [own.id, 3],
  ] as const)
    before.recordPerplexity(id, ppl(value));
  const after = await open();
  // What is stored of the weights is enough for the variant; its numbers are in the record.
  expect(after.list().map(({ id }) => id)).toEqual(['base', own.id]);
  expect(after.get(own.id)).toEqual(own);
  await after.restore(before.comparison());
  expect(after.comparison()).toEqual(before.comparison());
  expect(await valueIn(after.view(own.id))).toBe(0.5);
  expect((await after.add(without(1))).id).toBe('v3');
  // Twice is as good as once.
  await after.restore(before.comparison());
  expect(after.list()).toHaveLength(4);
});

test('a row whose weights are gone keeps its numbers, says so, and runs nothing', async () => {
  const before = await fresh();
  const own = await before.addPatched(without(0), patchOf(0.5), 'repaired');
  before.recordPerplexity(own.id, ppl(3));
  const elsewhere = await fresh(); // nothing is stored here
  await elsewhere.restore(before.comparison());
  const row = elsewhere.comparison().find(({ variant }) => variant === own.id);
  expect(row).toMatchObject({
    name: 'repaired',
    patchLost: true,
    patchBytes: 0,
    perplexity: { wgsl: { perplexity: 3 } },
  });
  expect(elsewhere.get(own.id).patchLost).toBe(true);
  expect(() => elsewhere.view(own.id)).toThrow(/weights of variant 'v1' are no longer stored/);
  expect(() => elsewhere.resolve(own.id)).toThrow(expect.objectContaining({ code: 'not-found' }));
  await elsewhere.discard(own.id);
  expect(elsewhere.list()).toHaveLength(1);
});

test('rows as JSON: infinite numbers, parents and speed-ups come back', async () => {
  const before = await fresh();
  await before.add(without(1));
  before.recordPerplexity('v1', { ...ppl(6), meanNll: 800, perplexity: Number.POSITIVE_INFINITY });
  const after = await fresh();
  await after.restore(restoreRows(JSON.parse(JSON.stringify(before.comparison())), { id: 'm', revision: 'r' }).rows);
  expect(after.comparison()).toEqual(before.comparison());
});

test('rows of another session whose ids are taken get new ones, and speed-ups follow', async () => {
  const other = await fresh();
  await other.add(without(0));
  await other.add(mlpless(0));
  const speedUp = { ratio: 2, low: 1, high: 3, against: 'v1', decode: null, pairs: 2, inTurns: true };
  other.recordLatency('v2', [{ ...latency(1, 5), speedUp }]);
  const here = await fresh();
  await here.add(without(1));
  here.recordPerplexity('v1', ppl(7));
  await here.restore(other.comparison());
  const rows = here.comparison().map(({ variant, plan, latency: [first] }) => [variant, plan, first?.speedUp?.against]);
  expect(rows).toEqual([
    ['base', emptyPlan('m'), undefined],
    ['v1', without(1), undefined],
    ['v2', without(0), undefined],
    ['v3', mlpless(0), 'v2'],
  ]);
});

test('rows that do not fit the model are refused whole', async () => {
  const other = await fresh();
  await other.add(without(0));
  const rows = other.comparison().map((row) => ({ ...row, plan: { ...row.plan, removeBlocks: [7] } }));
  const here = await fresh();
  await expect(here.restore(rows)).rejects.toMatchObject({ code: 'bad-plan' });
  expect(here.list()).toHaveLength(1);
});

test('two tabs: a variant of one never has the id of another; a patch that the other discarded stays usable where it is open', async () => {
  const { open } = await stored();
  const [one, other] = [await open(), await open()];
  const a = await one.addPatched(without(0), patchOf(1));
  const b = await other.add(without(1));
  const c = await one.add(without(1));
  expect([a, b, c].map(({ id }) => id)).toEqual(['v1', 'v2', 'v3']);
  const third = await open();
  await third.discard(a.id);
  expect(await valueIn(one.view(a.id))).toBe(1);
  expect((await open()).list()).toHaveLength(1);
});

test('a patch that is refused leaves nothing: no variant, no bytes, no number that was taken', async () => {
  const { open, use } = await stored();
  const variants = await open();
  await expect(variants.addPatched(without(1), patchOf(1))).rejects.toMatchObject({ code: 'bad-weights' });
  await expect(variants.addPatched(without(0), patchOf(Number.NaN))).rejects.toMatchObject({ code: 'non-finite' });
  const full = new PatchStore(runOf(use), async () => 10);
  const cramped = await Variants.open(base, full);
  await expect(cramped.addPatched(without(0), patchOf(1))).rejects.toMatchObject({ code: 'quota' });
  expect(cramped.list()).toHaveLength(1);
  expect((await variants.add(without(0))).id).toBe('v1');
});

test('a stored patch that fits its model no more is listed as lost, and can be discarded', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { open, use } = await stored();
  const key = ['patch', 'm', '1', 'v1'];
  const broken = {
    version: 1,
    variant: 'v1',
    about: { name: 'old', plan: without(0) },
    sha256: 'ab',
    blob: new Blob(['?']),
  };
  await use('readwrite', async (store) => store.put(broken, key));
  const variants = await open();
  expect(variants.get('v1')).toMatchObject({ name: 'old', plan: without(0), patchLost: true });
  await variants.discard('v1');
  expect((await open()).list()).toHaveLength(1);
});
