/** @file `lab.retrain` on a small checkpoint: the trained variant is a variant like any other, and nothing is left of a training that failed. */
import { beforeAll, expect, test, vi } from 'vitest';
import { patchOf } from '../../pruning/variant';
import type { Progress } from '../../task';
import type { RetrainRequest, RetrainResult } from '../contract/retraining';
import { Session } from './session';
import { goldenOf, inNode, sessionWith } from './testing/nodeSession';

const { calibration_token_ids: all } = goldenOf<{ calibration_token_ids: number[][] }>('tiny-a');
const tokenIds = all.slice(0, 2).map((ids) => ids.slice(0, 24));
const evaluation = { tokenIds };
const full: RetrainRequest = { method: 'full', steps: 6, batch: 1, learningRate: 1e-2, tokenIds, evaluation };

let session: Session;
inNode();
beforeAll(async () => {
  session = await sessionWith('tiny-a', { tokenIds });
});

const perplexity = async (of: Session, id: string, runtime: 'wgsl' | 'ort-wasm') =>
  (await of.perplexity({}, id, { tokenIds, runtime })).perplexity;

/** Another session with the same model. */
async function reloaded(): Promise<Session> {
  const { model } = await session.report({});
  const next = new Session(async () => undefined);
  await next.load({}, model.id, {});
  return next;
}

test('a pruned variant learns its rows; engine and ONNX Runtime agree on the result, also after a reload', async () => {
  const { id } = await session.variant({}, await session.plan({}, { blocks: [1] }), {});
  const before = await perplexity(session, id, 'wgsl');
  const stages: string[] = [];
  const onProgress = ({ stage, unit }: Progress) => void (unit === 'steps' && stages.push(stage));
  const { variant, losses, evaluations } = await session.retrain({ onProgress }, id, { ...full, evaluateEvery: 3 });
  expect(losses.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(evaluations.map(({ step }) => step)).toEqual([0, 3, 6]);
  expect(evaluations[0]!.perplexity / before).toBeCloseTo(1, 5);
  expect(evaluations[2]!.perplexity).toBeLessThan(0.8 * before);
  const { parameters, total, teacher } = await session.trainingMemory({}, id, full);
  expect(total - teacher).toBe(16 * parameters);
  expect(stages.at(-1)).toMatch(/^Training, loss [\d.]+, held-out perplexity [\d.]+$/);
  expect(variant).toMatchObject({ parent: id, plan: { removeBlocks: [1] } });
  expect(variant.recipe.map(({ kind }) => kind)).toEqual(['prune', 'retrain']);
  expect(variant.patchBytes).toBeGreaterThan(0);
  const trained = await perplexity(session, variant.id, 'wgsl');
  expect(trained / evaluations[2]!.perplexity).toBeCloseTo(1, 3);
  expect((await perplexity(session, variant.id, 'ort-wasm')) / trained).toBeCloseTo(1, 3);
  expect(await perplexity(session, id, 'wgsl')).toBe(before);
  expect((await perplexity(await reloaded(), variant.id, 'ort-wasm')) / trained).toBeCloseTo(1, 3);
});

test('cancelled or diverged, a training leaves no variant', async () => {
  const known = (await session.variants({})).length;
  const controller = new AbortController();
  const onProgress = ({ done, unit }: Progress) => {
    if (unit === 'steps' && done === 2) controller.abort();
  };
  await expect(session.retrain({ signal: controller.signal, onProgress }, 'base', full)).rejects.toMatchObject({
    code: 'aborted',
  });
  const diverging = session.retrain({}, 'base', { ...full, learningRate: 1e3, clip: 1e9 });
  await expect(diverging).rejects.toMatchObject({ code: 'non-finite', message: expect.stringContaining('Step') });
  expect(await session.variants({})).toHaveLength(known);
});

test('a request that cannot be meant is refused before anything runs', async () => {
  const refused = (request: object) => session.retrain({}, 'base', { ...full, ...request } as RetrainRequest);
  await expect(refused({ rank: 4 })).rejects.toMatchObject({
    code: 'bad-argument',
    message: expect.stringContaining('rank'),
  });
  await expect(refused({ method: 'lora', temperature: 2 })).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(refused({ method: 'full+lora', loraSteps: 6 })).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(refused({ steps: 0 })).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(refused({ learningRate: undefined })).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(refused({ tokenIds: [[1]] })).rejects.toMatchObject({ code: 'bad-argument' });
});

test('without WebGPU there is no training, and that is said before it waits', async () => {
  const { gpu } = navigator;
  vi.stubGlobal('navigator', {});
  const without = await reloaded();
  await expect(without.retrain({}, 'base', full)).rejects.toMatchObject({ code: 'no-webgpu' });
  expect(await without.trainings({})).toEqual([]);
  vi.stubGlobal('navigator', { gpu });
});

test('a text shorter than the steps need is trained on again, in epochs; one that is no row is refused', async () => {
  const words = Array.from({ length: 40 }, (_, index) => ['the', 'hedge', 'was', 'cut'][(index * 7) % 4]).join(' ');
  const short: RetrainRequest = {
    method: 'full',
    steps: 5,
    batch: 3,
    learningRate: 1e-3,
    text: words,
    seqLen: 16,
    seed: 3,
    evaluation,
  };
  const { variant, losses } = await session.retrain({}, 'base', { ...short, evaluateEvery: 5 });
  expect(losses).toHaveLength(5);
  const step = variant.recipe.at(-1)!;
  expect(step).toMatchObject({ kind: 'retrain', seed: 3, text: { corpus: 'text', seqLen: 16 } });
  expect(step.kind === 'retrain' && step.text.samples).toBeLessThan(15);
  const none = session.retrain({}, 'base', { ...short, text: 'the' });
  await expect(none).rejects.toMatchObject({ code: 'bad-argument', message: expect.stringContaining('token') });
});

/** The engine's number of a variant is that of the weights that were trained, and ONNX Runtime's. */
async function expectMeasured({ variant, evaluations }: RetrainResult): Promise<void> {
  const trained = await perplexity(session, variant.id, 'wgsl');
  expect(trained / evaluations.at(-1)!.perplexity).toBeCloseTo(1, 3);
  expect((await perplexity(session, variant.id, 'ort-wasm')) / trained).toBeCloseTo(1, 3);
}

const names = ({ variant }: RetrainResult) => patchOf(variant.recipe)!.tensors.map(({ name }) => name);

test('LoRA on a width variant with uneven blocks: the factors are merged into the matrices that have some, the others stay', async () => {
  const heads = [[0, 1, 2], null, [3, 4, 5], null];
  const neurons = [null, [...Array(20).keys()], null, [...Array(31).keys()]];
  const plan = await session.plan({}, { keepHeads: heads, keepNeurons: neurons });
  const { id } = await session.variant({}, plan, {});
  const lora = { method: 'lora', rank: 4, alpha: 8, targets: ['qProj', 'vProj', 'downProj'] } as const;
  const result = await session.retrain({}, id, { ...full, ...lora, learningRate: 3e-2 });
  expect(result.losses.at(-1)!.loss).toBeLessThan(0.97 * result.losses[0]!.loss);
  await expectMeasured(result);
  expect(result.variant.recipe.at(-1)).toMatchObject({ lora: { rank: 4, alpha: 8, dropout: 0 }, tokens: 6 * 23 });
  const [again, here] = [await perplexity(await reloaded(), result.variant.id, 'ort-wasm'), result.evaluations.at(-1)!];
  expect(again / here.perplexity).toBeCloseTo(1, 3);
  expect(result.variant.hasAdapter).toBe(true);
  expect(names(result)).toHaveLength(3 * 4);
  expect(names(result).every((name) => /(q_proj|v_proj|down_proj)/.test(name))).toBe(true);
});

test('all weights, then factors on what they became: one count of steps, two warm-ups, and a pause in either part to the last bit', async () => {
  const request: RetrainRequest = {
    ...{ ...full, method: 'full+lora', steps: 6, loraSteps: 3, loraLearningRate: 3e-2, warmup: 1, rank: 2 },
    ...{ dropout: 0.1, evaluateEvery: 6 },
  };
  const whole = await session.retrain({}, 'base', { ...request, name: 'whole' });
  expect(whole.losses.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(whole.losses.map(({ learningRate }) => learningRate)).toEqual([0, 1e-2, 1e-2, 0, 3e-2, 3e-2]);
  await expectMeasured(whole);
  expect(whole.variant.recipe.at(-1)).toMatchObject({ method: 'full+lora', steps: 6, lora: { steps: 3 } });
  const pauseAt = new Set([2, 4]);
  const onProgress = ({ done, stage }: Progress) => {
    if (!stage.startsWith('Training') || !pauseAt.delete(done)) return;
    void session.trainings({}).then(async ([run]) => {
      await session.pauseTraining({}, run!.id);
      await session.resumeTraining({}, run!.id);
    });
  };
  const paused = await session.retrain({ onProgress }, 'base', { ...request, name: 'paused' });
  expect(pauseAt.size).toBe(0);
  expect(paused.losses).toEqual(whole.losses);
  expect(patchOf(paused.variant.recipe)!.sha256).toBe(patchOf(whole.variant.recipe)!.sha256);
});

test('distillation follows the base, and the recipe says how', async () => {
  const { id } = await session.variant({}, await session.plan({}, { blocks: [1] }), {});
  const distill = { method: 'distill', temperature: 2, weight: 0.7 } as const;
  const result = await session.retrain({}, id, { ...full, ...distill, learningRate: 2e-3 });
  expect(result.losses[4]!.loss).toBeLessThan(result.losses[0]!.loss); // the same row, two epochs later
  await expectMeasured(result);
  expect(result.variant.recipe.at(-1)).toMatchObject({ method: 'distill', distill: { temperature: 2, weight: 0.7 } });
});
