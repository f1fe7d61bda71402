/**
 * @file Repaired variants in the session: every runtime gives them the same number, also after a reload and in a new worker; variants
 * that go on from repaired or patched ones; removing block by block.
 */
import { beforeAll, expect, test } from 'vitest';
import { readModel } from '../../engine/testing/testWeights';
import { emptyPlan } from '../../pruning/plan';
import { patchOf, rescalingsOf } from '../../pruning/variant';
import type { ModelInfo } from '../../report/facts';
import { safetensorsParts } from '../../shards/formats/safetensors';
import type { RepairChoice, VariantInfo } from '../contract/types';
import { Session } from './session';
import { fixtureFolder, goldenOf, inNode, sessionWith } from './testing/nodeSession';

const golden = goldenOf<{ calibration_token_ids: number[][] }>('tiny-a');
const tokenIds = golden.calibration_token_ids.slice(0, 2);
const { shape } = readModel(fixtureFolder('tiny-a'));
const last = shape.layers.length - 1;

let info: ModelInfo;
let session: Session;
inNode();
beforeAll(async () => {
  session = await sessionWith('tiny-a', { tokenIds: golden.calibration_token_ids });
  ({ model: info } = await session.report({}));
});

const nllOf = async (of: Session, id: string, runtime: 'wgsl' | 'ort-wasm' = 'wgsl') =>
  (await of.perplexity({}, id, { tokenIds, runtime })).meanNll;

/** The number of a variant, which engine and ONNX Runtime agree on. */
async function agreedNll(of: Session, { id, name }: VariantInfo): Promise<number> {
  const found = await nllOf(of, id);
  expect(await nllOf(of, id, 'ort-wasm'), name).toBeCloseTo(found, 4);
  return found;
}

/** Keeps the heads of one key/value head, and every second neuron, of block 2. */
const width = {
  keepHeads: [null, null, [0, 1, 2], null],
  keepNeurons: [null, null, Array.from({ length: 22 }, (_, at) => 2 * at), null],
};
const made: Record<string, { id: string; nll: number }> = {};
const keep = async (key: string, variant: VariantInfo) => {
  made[key] = { id: variant.id, nll: await agreedNll(session, variant) };
  return made[key].nll;
};

test('each repair gives another model than the plan alone, and its name and recipe say it', async () => {
  const depth = await session.plan({}, { blocks: [1] });
  const cut = await keep('cut', await session.variant({}, depth, {}));
  const scaled = await session.variant({}, depth, { repair: 'prune-and-comp' });
  expect(scaled).toMatchObject({ parent: 'base', name: 'without 1, repaired by Prune&Comp', patchBytes: 0 });
  expect(rescalingsOf(scaled.recipe)).toEqual([{ before: 1, factor: expect.any(Number) as unknown }]);
  expect(scaled.recipe.at(-1)).toMatchObject({ text: { samples: 4, seqLen: 64 } });
  const replaced = await session.variant({}, depth, { repair: 'replace-me' });
  expect(patchOf(replaced.recipe)!.tensors.map(({ name }) => name)).toEqual(['model.layers.0.mlp.down_proj.weight']);
  const biased = await session.variant({}, { ...(await session.plan({}, width)), repair: 'flap-bias' }, {});
  expect(patchOf(biased.recipe)!.tensors).toHaveLength(2);
  const numbers = [cut, await keep('scaled', scaled), await keep('replaced', replaced), await keep('biased', biased)];
  expect(new Set(numbers.map((nll) => nll.toFixed(5))).size).toBe(4);
  // Least squares on the very tokens that are scored.
  expect(made['replaced']!.nll).toBeLessThan(cut);
  // The same again is the same variant.
  expect((await session.variant({}, depth, { repair: 'replace-me' })).id).toBe(replaced.id);
});

test('a variant goes on from another one: its tensors are cut and scaled along, and go with what is removed', async () => {
  const plan = await session.plan({}, { blocks: [1], ...width });
  const parent = made['replaced']!.id;
  const onward = await session.variant({}, plan, { parent, repair: 'flap-bias' });
  expect(onward.parent).toBe(parent);
  expect(onward.recipe.map(({ kind }) => kind)).toEqual(['prune', 'repair', 'prune', 'repair']);
  expect(patchOf(onward.recipe)!.tensors.map(({ name }) => name)).toEqual([
    'model.layers.0.mlp.down_proj.weight',
    'model.layers.2.self_attn.o_proj.bias',
    'model.layers.2.mlp.down_proj.bias',
  ]);
  await keep('onward', onward);
  // Without block 2 its biases are gone, without block 0 the whole patch is.
  const fewer = await session.variant({}, await session.plan({}, { blocks: [1, 2] }), { parent: onward.id });
  expect(patchOf(fewer.recipe)!.tensors).toHaveLength(1);
  const none = await session.variant({}, await session.plan({}, { blocks: [0, 1, 2] }), { parent: onward.id });
  expect(patchOf(none.recipe)).toBeNull();
  const alone = await session.variant({}, await session.plan({}, { blocks: [0, 1, 2] }), {});
  expect(await agreedNll(session, none)).toBeCloseTo(await agreedNll(session, alone), 5);
  // Two repairs in a row: factors of a parent with a patch.
  const again = await session.variant(
    {},
    { ...plan, removeBlocks: [0, 1] },
    { parent: onward.id, repair: 'prune-and-comp' },
  );
  expect(rescalingsOf(again.recipe).map(({ before }) => before)).toEqual([0]);
  await keep('again', again);
  await expect(session.variant({}, await session.plan({}, { blocks: [2] }), { parent })).rejects.toMatchObject({
    code: 'bad-plan',
    message: expect.stringContaining('block 1') as unknown,
  });
});

test("a patch over a repaired variant: the patch's tensors win, the others stay", async () => {
  const values = Float32Array.from({ length: shape.hidden }, (_, at) => Math.cos(at));
  const bias = { name: 'model.layers.2.mlp.down_proj.bias', dtype: 'F32', dims: [shape.hidden] };
  const patch = new Blob(safetensorsParts([{ ...bias, data: new Uint8Array(values.buffer) }]));
  const plan = await session.plan({}, width);
  const patched = await session.variant({}, plan, { parent: made['biased']!.id, patch });
  expect(patched.recipe.map(({ kind }) => kind)).toEqual(['prune', 'repair', 'patch']);
  expect(patchOf(patched.recipe)!.tensors).toHaveLength(2);
  await keep('patched', patched);
  const both = { parent: 'base', patch, repair: 'flap-bias' } as const;
  await expect(session.variant({}, plan, both)).rejects.toMatchObject({ code: 'bad-argument' });
});

test('what cannot be repaired is refused with the reason, and leaves nothing', async () => {
  const before = await session.variants({});
  const refused = async (request: Parameters<Session['plan']>[1], repair: RepairChoice) =>
    session.variant({}, await session.plan({}, request), { repair }).then(
      () => 'made',
      ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
    );
  expect(await refused({ blocks: [1] }, 'linear-patch')).toContain('no weight of a LLaMA block can hold that');
  expect(await refused({ blocks: [1] }, 'flap-bias')).toContain('not-available');
  expect(await refused({ attention: [1] }, 'prune-and-comp')).toContain('no block is removed');
  expect(await refused({ blocks: [last] }, 'prune-and-comp')).toContain('the final norm undoes any factor');
  expect(await refused({ blocks: [0] }, 'replace-me')).toContain('has no block before it');
  expect(await refused({ blocks: [2], mlp: [1] }, 'replace-me')).toContain('has no MLP');
  const controller = new AbortController();
  const onProgress = () => controller.abort();
  const task = { signal: controller.signal, onProgress };
  const plan = await session.plan({}, { blocks: [2] });
  await expect(session.variant(task, plan, { repair: 'replace-me' })).rejects.toMatchObject({ code: 'aborted' });
  expect(await session.variants({})).toEqual(before);
});

test('a variant is scored in indices of the base', async () => {
  const { id } = made['onward']!;
  const scores = await session.importance({}, 'ppl', { of: id, plus: false });
  expect(scores.scores.map(Number.isNaN)).toEqual([false, true, false, false]);
  expect([...scores.order].sort()).toEqual([0, 2, 3]);
  expect(Math.log(scores.reference!)).toBeGreaterThan(0);
  expect((await session.importance({}, 'ppl', {})).scores.every(Number.isFinite)).toBe(true);
  await expect(session.importance({}, 'sleb', { of: id })).rejects.toMatchObject({ code: 'not-available' });
  await expect(session.importance({}, 'angular', { of: id, window: 2 })).rejects.toMatchObject({
    code: 'not-available',
  });
});

test('blocks go one by one, each after new scores of the repaired rest', async () => {
  const listed = (await session.variants({})).length;
  const stages = new Set<string>();
  const onProgress = ({ stage }: { stage: string }) => void stages.add(stage.split(':')[0]!);
  const found = await session.iterate({ onProgress }, { criterion: 'ppl', count: 2 });
  expect((await session.variants({})).length).toBe(listed + 1);
  expect([...stages]).toEqual(expect.arrayContaining(['block 1 of 2', 'block 2 of 2']));
  expect(found.plan.removeBlocks).toHaveLength(2);
  const steps = found.recipe.filter(({ kind }) => kind === 'prune');
  expect(steps).toHaveLength(2);
  await keep('iterated', found);
  // By hand: the same removals, each repaired from the one before.
  let parent = 'base';
  for (const step of steps) {
    const plan = step.kind === 'prune' ? step.plan : emptyPlan(info.id);
    const { order } = await session.importance({}, 'ppl', { of: parent });
    expect(plan.removeBlocks).toContain(order[0]);
    const repair = order[0] === last ? 'none' : 'prune-and-comp';
    parent = (await session.variant({}, plan, { parent, repair, name: `by hand from ${parent}` })).id;
  }
  expect(await nllOf(session, parent)).toBeCloseTo(made['iterated']!.nll, 5);
  await expect(session.iterate({}, { criterion: 'sleb', count: 1 })).rejects.toMatchObject({ code: 'not-available' });
  await expect(session.iterate({}, { criterion: 'ppl', count: 4 })).rejects.toMatchObject({ code: 'bad-argument' });
});

test('repaired variants survive a reload and a new worker', async () => {
  const rows = await session.comparison({});
  const reloaded = new Session(async () => undefined);
  await reloaded.load({}, info.id, {});
  expect(await reloaded.restoreComparison({}, rows)).toEqual(rows);
  expect(await reloaded.variants({})).toEqual(await session.variants({}));
  const restarted = new Session(async () => undefined);
  await restarted.restore({}, (await reloaded.snapshot({}))!);
  expect(await restarted.comparison({})).toEqual(rows);
  for (const { id, nll } of Object.values(made)) expect(await nllOf(restarted, id, 'ort-wasm')).toBeCloseTo(nll, 4);
  await session.forget({}, info.id);
});
