/**
 * @file A variant with weights of its own, next to one of the same shape without and next to the base: every runtime gives each its own
 * number, the float64 model's, also after a reload and in a new worker. What they share is read once.
 */
import { beforeAll, expect, test, vi } from 'vitest';
import { longTier } from '../../engine/testing/harness';
import { readModel } from '../../engine/testing/testWeights';
import { modelMeanNll, type ReferenceWeights } from '../../numerics/model';
import type { TokenSequences } from '../../numerics/tokens';
import { applyPlan } from '../../pruning/apply';
import { emptyPlan } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import type { Runtime } from '../../report/results';
import { safetensorsParts } from '../../shards/formats/safetensors';
import { ShardStore } from '../../shards/store/shardStore';
import { Session } from './session';
import { fixtureFolder, goldenOf, inNode, sessionWith } from './testing/nodeSession';

const golden = goldenOf<{ calibration_token_ids: number[][] }>('tiny-a');
const tokenIds = golden.calibration_token_ids.slice(0, 3);
const { shape, reference } = readModel(fixtureFolder('tiny-a'));
const runtimes: readonly Runtime[] = ['wgsl', 'ort-wasm'];
const removed = 1;
const block = 2;

/** Another downProj of the block, and a bias of oProj that the base lacks. */
const down = Float32Array.from(reference.layers[block]!.downProj!, (value, at) => -0.5 * value + 0.02 * Math.sin(at));
const bias = Float32Array.from({ length: shape.hidden }, (_, at) => 0.3 * Math.cos(at));
const tensorOf = (name: string, dims: number[], values: Float32Array<ArrayBuffer>) => ({
  ...{ name: `model.layers.${block}.${name}`, dtype: 'F32', dims, data: new Uint8Array(values.buffer) },
});
const patch = new Blob(
  safetensorsParts([
    tensorOf('mlp.down_proj.weight', [shape.hidden, 44], down),
    tensorOf('self_attn.o_proj.bias', [shape.hidden], bias),
  ]),
);
const layers = reference.layers.map((layer, at) => (at === block ? { ...layer, downProj: down, oBias: bias } : layer));
const own: ReferenceWeights = { ...reference, layers };

/** In float64: of the base, of the variant without block 1, and of that with the patch. */
function expectedNll(model: string, sequences: TokenSequences) {
  const pruned = applyPlan(shape, { ...emptyPlan(model), removeBlocks: [removed] });
  const biased = pruned.layers.map((layer) =>
    layer.source === block ? { ...layer, biases: ['oBias' as const] } : layer,
  );
  return {
    base: modelMeanNll(shape, reference, sequences),
    twin: modelMeanNll(pruned, reference, sequences),
    patched: modelMeanNll({ ...pruned, layers: biased }, own, sequences),
  };
}

let info: ModelInfo;
let session: Session;
inNode();
beforeAll(async () => {
  session = await sessionWith('tiny-a');
  ({ model: info } = await session.report({}));
});

/** Measures all three on these runtimes, one after the other, and looks at what the comparison says of them. */
async function expectEachItsOwn(
  of: Session,
  ids: { twin: string; patched: string },
  on: readonly Runtime[] = runtimes,
): Promise<void> {
  const expected = expectedNll(info.id, tokenIds);
  expect(Math.abs(expected.twin - expected.patched)).toBeGreaterThan(0.01); // or the test could not tell them apart
  for (const runtime of on) {
    for (const [name, id] of [
      ['base', 'base'],
      ['patched', ids.patched],
      ['twin', ids.twin],
      ['base', 'base'],
    ] as const) {
      const { meanNll } = await of.perplexity({}, id, { tokenIds, runtime });
      expect.soft(meanNll / expected[name], `${name} on ${runtime}`).toBeCloseTo(1, 4);
    }
  }
  const rows = new Map((await of.comparison({})).map((row) => [row.variant, row]));
  for (const [name, id] of [
    ['base', 'base'],
    ['twin', ids.twin],
    ['patched', ids.patched],
  ] as const) {
    const { perplexity } = rows.get(id)!;
    for (const runtime of runtimes) expect.soft(perplexity[runtime]!.meanNll / expected[name]).toBeCloseTo(1, 4);
  }
}

/** Bytes of the checkpoint's weights that `work` reads. */
async function bytesRead(work: () => Promise<unknown>): Promise<number> {
  let bytes = 0;
  const read = vi.spyOn(ShardStore.prototype, 'read');
  const original = read.getMockImplementation();
  expect(original).toBeUndefined();
  await work();
  for (const [, name, begin, end] of read.mock.calls) if (name.endsWith('.safetensors')) bytes += end - begin;
  read.mockRestore();
  return bytes;
}

test('each variant has its own number on every runtime, after a reload and in a new worker too; what they share is read once', async () => {
  const plan = await session.plan({}, { blocks: [removed] });
  const score = (id: string) => session.perplexity({}, id, { tokenIds, runtime: 'wgsl' });
  await score('base');
  const base = (await session.memory({}))!.liveBytes;
  let ids = { twin: '', patched: '' };
  // Making a variant reads no weights but those that its patch replaces, to see whether they differ.
  expect(await bytesRead(async () => (ids = { ...ids, twin: (await session.variant({}, plan, {})).id }))).toBe(0);
  const replaced = shape.hidden * 44 * 4;
  const making = async () => (ids = { ...ids, patched: (await session.variant({}, plan, { patch })).id });
  expect(await bytesRead(making)).toBe(replaced);
  expect(await bytesRead(() => score(ids.twin))).toBe(0);
  // Of the patched variant one block is another one: its other tensors are read for it, once.
  const { blockBytes, blocks } = (await session.memory({}))!;
  const first = await bytesRead(() => score(ids.patched));
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThanOrEqual(blockBytes / blocks - replaced);
  const switching = await bytesRead(async () => {
    for (const id of ['base', ids.patched, ids.twin, ids.patched, 'base']) await score(id);
  });
  expect(switching).toBe(0);
  expect((await session.memory({}))!.liveBytes - base).toBeLessThan((2 * blockBytes) / blocks);

  await expectEachItsOwn(session, ids);
  const [, twin, patched] = await session.variants({});
  expect([twin!.patchBytes, patched!.patchBytes]).toEqual([0, patch.size]);
  expect(patched).toMatchObject({ parent: 'base', recipe: [{ kind: 'prune' }, { kind: 'patch', bytes: patch.size }] });
  expect((await session.stored({})).map(({ patchBytes }) => patchBytes)).toEqual([patch.size]);

  // A page that is reloaded: the weights are in the browser, the numbers in what the page kept.
  const rows = await session.comparison({});
  const reloaded = new Session(async () => undefined);
  await reloaded.load({}, info.id, {});
  expect((await reloaded.variants({})).map(({ id }) => id)).toEqual(['base', ids.patched]);
  expect(await reloaded.restoreComparison({}, rows)).toEqual(rows);
  expect(await reloaded.variants({})).toEqual(await session.variants({}));
  await expectEachItsOwn(reloaded, ids, ['ort-wasm']);

  // A worker that died: its snapshot opens the same session in a new one.
  const restarted = new Session(async () => undefined);
  await restarted.restore({}, (await reloaded.snapshot({}))!);
  expect(await restarted.comparison({})).toEqual(await reloaded.comparison({}));
  // Its engine compiles all shaders again: the end-to-end test has one, and the long tier.
  await expectEachItsOwn(restarted, ids, longTier ? runtimes : ['ort-wasm']);
}, 240_000);

test('a plan that is measured alone never gets the number of a variant with weights of its own', async () => {
  const plan = await session.plan({}, { blocks: [removed] });
  const expected = expectedNll(info.id, tokenIds);
  for (const runtime of runtimes) {
    const { meanNll } = await session.perplexity({}, plan, { tokenIds, runtime });
    expect(meanNll / expected.twin).toBeCloseTo(1, 4);
  }
});

test('text and export come from the variant’s own weights', async () => {
  const patched = (await session.variants({})).find(({ patchBytes }) => patchBytes > 0)!;
  const write = (id: string, runtime: Runtime) =>
    session.generate({}, id, 'the hedge', { runtime, newTokens: 8 }).then(({ tokenIds: ids }) => ids);
  expect(await write(patched.id, 'wgsl')).toEqual(await write(patched.id, 'ort-wasm'));
  const files = await session.export({}, patched.id, 'onnx', {});
  const data = new Uint8Array(await files.find(({ name }) => name === 'model.onnx_data')!.arrayBuffer());
  const text = new TextDecoder('latin1').decode(data);
  expect(text).toContain(new TextDecoder('latin1').decode(new Uint8Array(down.buffer).slice(0, 64)));
  expect(text).not.toContain(
    new TextDecoder('latin1').decode(
      new Uint8Array(Float32Array.from(reference.layers[block]!.downProj!).buffer).slice(0, 64),
    ),
  );
});

test('latency of a patched variant is taken in turns with the base', async () => {
  const patched = (await session.variants({})).find(({ patchBytes }) => patchBytes > 0)!;
  const how = { promptTokens: 4, newTokens: 4, warmups: 0, runs: 2, runtime: 'ort-wasm', against: 'base' } as const;
  const [result] = await session.latency({}, patched.id, how);
  expect(result?.speedUp).toMatchObject({ against: 'base', pairs: 2 });
});

test('discarding a variant removes its weights, and the others keep their numbers', async () => {
  const [, twin, patched] = await session.variants({});
  await session.discard({}, patched!.id);
  expect((await session.stored({})).map(({ patchBytes }) => patchBytes)).toEqual([0]);
  await expect(session.perplexity({}, patched!.id, { tokenIds })).rejects.toMatchObject({ code: 'not-found' });
  const { meanNll } = await session.perplexity({}, twin!.id, { tokenIds, runtime: 'wgsl' });
  expect(meanNll / expectedNll(info.id, tokenIds).twin).toBeCloseTo(1, 4);
  // Forgetting the model removes what other variants have.
  await session.variant({}, emptyPlan(info.id), { patch });
  expect((await session.stored({})).map(({ patchBytes }) => patchBytes)).toEqual([patch.size]);
  await session.forget({}, info.id);
  expect(await session.stored({})).toEqual([]);
});
