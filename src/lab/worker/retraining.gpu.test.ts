/** @file `lab.retrain` on a small checkpoint: the trained variant is a variant like any other, and nothing is left of a training that failed. */
import { beforeAll, expect, test } from 'vitest';
import type { Progress } from '../../task';
import type { RetrainRequest } from '../contract/retraining';
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
  const { model } = await session.report({});
  const reloaded = new Session(async () => undefined);
  await reloaded.load({}, model.id, {});
  expect((await perplexity(reloaded, variant.id, 'ort-wasm')) / trained).toBeCloseTo(1, 3);
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
  await expect(refused({ method: 'lora' })).rejects.toMatchObject({ code: 'not-available' });
  await expect(refused({ steps: 0 })).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(refused({ learningRate: undefined })).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(refused({ tokenIds: [[1]] })).rejects.toMatchObject({ code: 'bad-argument' });
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
