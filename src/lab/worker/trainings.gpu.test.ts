/** @file The queue of trainings: turns, pauses, ends before the end, and what goes on after the worst. Losses and weights to the last bit. */
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { longTier } from '../../engine/testing/harness';
import { Trainer } from '../../engine/train/trainer';
import { LabError } from '../../errors';
import { quotaError } from '../../io/storage';
import { patchOf } from '../../pruning/variant';
import { TrainingStore } from '../../shards/store/trainingStore';
import { LockTable } from '../../shards/testing/locks';
import type { Progress } from '../../task';
import type { RetrainRequest, RetrainResult } from '../contract/retraining';
import { Session } from './session';
import { goldenOf, inNode, sessionWith } from './testing/nodeSession';

const { calibration_token_ids: all } = goldenOf<{ calibration_token_ids: number[][] }>('tiny-a');
const tokenIds = all.slice(0, 2).map((ids) => ids.slice(0, 24));
const evaluation = { tokenIds };
const full: RetrainRequest = { method: 'full', steps: 6, batch: 1, learningRate: 1e-2, tokenIds, evaluation };

const browser = new LockTable();
const firstTab = browser.tab();
let session: Session;
let whole: RetrainResult;
inNode({ losesDevice: longTier, ort: false });
beforeAll(async () => {
  vi.stubGlobal('navigator', { gpu: navigator.gpu, locks: firstTab });
  session = await sessionWith('tiny-a', { tokenIds });
  whole = await session.retrain({}, 'base', { ...full, name: 'whole' });
}, 600_000);
afterEach(() => vi.restoreAllMocks());

/** Calls `work` once, when a training has made `step` steps. */
function atStep(step: number, work: () => void): (progress: Progress) => void {
  let done = false;
  return (progress) => {
    if (done || progress.unit !== 'steps' || !progress.stage.startsWith('Training') || progress.done !== step) return;
    done = true;
    work();
  };
}

/** A slow machine may take its time. */
const until = (holds: () => Promise<boolean>) => vi.waitUntil(holds, { timeout: 60_000, interval: 10 });
const sha256 = ({ variant }: RetrainResult): string | undefined => patchOf(variant.recipe)?.sha256;

function expectSame(result: RetrainResult): void {
  expect(result.losses).toEqual(whole.losses);
  expect(result.evaluations).toEqual(whole.evaluations);
  expect(sha256(result)).toBe(sha256(whole));
}

test('one trains at a time, the others wait in order; the rest of the laboratory stays answered', async () => {
  const seen: string[][] = [];
  const cancel = new AbortController();
  const look = atStep(2, async () => {
    seen.push((await session.trainings({})).map(({ phase, step, steps }) => `${phase} ${step}/${steps}`));
    const { perplexity } = await session.perplexity({}, 'base', { tokenIds });
    expect(perplexity).toBeGreaterThan(1);
    await session.profile({}, { samples: 1 }); // stands still meanwhile, and goes on
    seen.push((await session.trainings({})).map(({ phase }) => phase));
    cancel.abort();
  });
  const first = session.retrain({ onProgress: look }, 'base', { ...full, name: 'first' });
  await until(async () => (await session.trainings({})).length === 1);
  const second = session.retrain({}, 'base', { ...full, steps: 2, name: 'second' });
  await until(async () => (await session.trainings({})).length === 2);
  const third = session.retrain({ signal: cancel.signal }, 'base', { ...full, name: 'third' });
  await expect(third).rejects.toMatchObject({ code: 'aborted' });
  expectSame(await first);
  expect((await second).losses).toEqual(whole.losses.slice(0, 2));
  expect(seen).toEqual([['running 2/6', 'waiting 0/6', 'waiting 0/2'].toSorted(), seen[1]]);
  expect(seen[1]![0]).toBe('running');
  expect(await session.trainings({})).toEqual([]);
  expect((await session.variants({})).map(({ name }) => name)).not.toContain('third');
});

test('a training that pauses lets the GPU go, and goes on to the last bit', async () => {
  let paused: Promise<void> | null = null;
  const onProgress = atStep(3, () => {
    void session.trainings({}).then(([run]) => {
      paused = session.pauseTraining({}, run!.id);
    });
  });
  const retrained = session.retrain({ onProgress }, 'base', { ...full, name: 'paused' });
  await until(async () => (await session.trainings({}))[0]?.phase === 'paused');
  await paused;
  const [info] = await session.trainings({});
  expect(info).toMatchObject({ phase: 'paused', variant: 'base', steps: 6, failure: null });
  expect(info!.checkpoint).toBe(info!.step);
  expect(info!.tokensPerSecond).toBeNull();
  const resumed = await session.resumeTraining({}, info!.id);
  expectSame(resumed);
  expect((await retrained).variant.id).toBe(resumed.variant.id);
});

test('stopped: with keep its weights become a variant of the steps that were made, without it nothing is left', async () => {
  const known = (await session.variants({})).length;
  const stop = (keep: boolean) =>
    atStep(2, () => {
      void session.trainings({}).then(([run]) => session.stopTraining({}, run!.id, { keep }));
    });
  const dropped = session.retrain({ onProgress: stop(false) }, 'base', full);
  await expect(dropped).rejects.toMatchObject({ code: 'aborted' });
  await until(async () => (await session.stored({}))[0]?.trainingBytes === 0);
  expect(await session.variants({})).toHaveLength(known);
  const { variant, losses, evaluations } = await session.retrain({ onProgress: stop(true) }, 'base', full);
  expect(losses.length).toBeLessThan(6);
  expect(losses).toEqual(whole.losses.slice(0, losses.length));
  expect(evaluations.at(-1)!.step).toBe(losses.length);
  expect(variant.recipe.at(-1)).toMatchObject({ kind: 'retrain', steps: losses.length });
});

test('a full disk: the training goes on and says that it has no checkpoint, also where it pauses', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  vi.spyOn(TrainingStore.prototype, 'putPiece').mockRejectedValue(quotaError('Storing a checkpoint', 1000, 10));
  const onProgress = atStep(3, () => {
    void session.trainings({}).then(([run]) => session.pauseTraining({}, run!.id));
  });
  const retrained = session.retrain({ onProgress }, 'base', { ...full, checkpointEvery: 2, name: 'full disk' });
  await until(async () => (await session.trainings({}))[0]?.phase === 'paused');
  const [info] = await session.trainings({});
  expect(info).toMatchObject({ checkpoint: null, failure: { code: 'quota' } });
  void session.resumeTraining({}, info!.id);
  expectSame(await retrained);
  expect((await session.stored({}))[0]!.trainingBytes).toBe(0);
});

test('diverged: the last checkpoint stays, and can be kept as a variant; there is none else', async () => {
  const known = (await session.variants({})).length;
  const diverging = { ...full, learningRate: 1e3, clip: 1e9, checkpointEvery: 1, evaluateEvery: 6 };
  const retrained = session.retrain({}, 'base', diverging);
  await expect(retrained).rejects.toMatchObject({ code: 'non-finite', message: expect.stringContaining('Step') });
  expect(await session.variants({})).toHaveLength(known);
  const [info] = await session.trainings({});
  expect(info).toMatchObject({ phase: 'failed', failure: { code: 'non-finite' } });
  expect(info!.checkpoint).toBeGreaterThan(0);
  expect(info!.step).toBe(info!.checkpoint);
  await session.stopTraining({}, info!.id, { keep: true });
  expect((await session.variants({})).at(-1)!.recipe.at(-1)).toMatchObject({ steps: info!.checkpoint });
  expect(await session.trainings({})).toEqual([]);
});

/** A step that fails as one does whose device is lost. */
function loseAtStep(...lost: number[]): void {
  const { step } = Trainer.prototype;
  let steps = 0;
  vi.spyOn(Trainer.prototype, 'step').mockImplementation(function (this: Trainer, ...all) {
    steps += 1;
    if (!lost.includes(steps)) return step.apply(this, all);
    return Promise.reject(new LabError('device-lost', 'The GPU device was lost.', 'Start the task again.'));
  });
}

test('the device is lost: the training goes on by itself from its checkpoint, once; then it waits to be asked', async () => {
  const request = { ...full, checkpointEvery: 2 };
  loseAtStep(4, 7); // a checkpoint lies between them
  expectSame(await session.retrain({}, 'base', { ...request, name: 'lost' }));
  vi.restoreAllMocks();
  loseAtStep(4, 5);
  await expect(session.retrain({}, 'base', { ...request, name: 'lost twice' })).rejects.toMatchObject({
    code: 'device-lost',
  });
  const [info] = await session.trainings({});
  expect(info).toMatchObject({ phase: 'interrupted', step: 2, checkpoint: 2, failure: { code: 'device-lost' } });
  vi.restoreAllMocks();
  expectSame(await session.resumeTraining({}, info!.id));
});

test.runIf(longTier)('the device vanishes in the middle of a step', async () => {
  const onProgress = atStep(3, () => {
    const original = GPUDevice.prototype.createBindGroup;
    let launches = 0;
    vi.spyOn(GPUDevice.prototype, 'createBindGroup').mockImplementation(function (this: GPUDevice, descriptor) {
      launches += 1;
      if (launches === 9) this.destroy();
      return original.call(this, descriptor);
    });
  });
  expectSame(await session.retrain({ onProgress }, 'base', { ...full, checkpointEvery: 2, name: 'vanished' }));
});

test('a closed tab: the next one finds the training, and only when no tab has it; it goes on to the last bit', async () => {
  const { step } = Trainer.prototype;
  let steps = 0;
  let hangs = (): void => undefined;
  const hung = new Promise<void>((resolve) => {
    hangs = resolve;
  });
  vi.spyOn(Trainer.prototype, 'step').mockImplementation(function (this: Trainer, ...all) {
    steps += 1;
    if (steps < 6) return step.apply(this, all);
    hangs();
    return new Promise(() => undefined);
  });
  const { id: variant } = await session.variant({}, await session.plan({}, { blocks: [1] }), { name: 'cut' });
  const request = { ...full, steps: 8, checkpointEvery: 2 };
  void session.retrain({}, variant, { ...request, name: 'interrupted' });
  await hung;
  vi.restoreAllMocks();
  const { model } = await session.report({});
  vi.stubGlobal('navigator', { gpu: navigator.gpu, locks: browser.tab() });
  const next = new Session(async () => undefined);
  await next.load({}, model.id, {});
  expect(await next.trainings({})).toEqual([]);
  firstTab.close();
  await until(async () => (await next.trainings({})).length === 1);
  const [info] = await next.trainings({});
  expect(info).toMatchObject({ phase: 'interrupted', step: 4, steps: 8, checkpoint: 4, variantName: 'cut' });
  const resumed = await next.resumeTraining({}, info!.id);
  session = next;
  expect(resumed.variant.plan.removeBlocks).toEqual([1]);
  const again = await next.retrain({}, resumed.variant.parent!, { ...request, name: 'uninterrupted' });
  expect(resumed.losses).toEqual(again.losses);
  expect(resumed.evaluations).toEqual(again.evaluations);
  expect(sha256(resumed)).toBe(sha256(again));
});
