/** @file The queue of trainings: turns, pauses, ends before the end, and what goes on after the worst. Losses and weights to the last bit. */
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { patchOf } from '../../pruning/variant';
import type { Progress } from '../../task';
import type { RetrainRequest, RetrainResult } from '../contract/retraining';
import type { Session } from './session';
import { goldenOf, inNode, sessionWith } from './testing/nodeSession';

const { calibration_token_ids: all } = goldenOf<{ calibration_token_ids: number[][] }>('tiny-a');
const tokenIds = all.slice(0, 2).map((ids) => ids.slice(0, 24));
const evaluation = { tokenIds };
const full: RetrainRequest = { method: 'full', steps: 6, batch: 1, learningRate: 1e-2, tokenIds, evaluation };

let session: Session;
let whole: RetrainResult;
inNode({ ort: false });
beforeAll(async () => {
  session = await sessionWith('tiny-a', { tokenIds });
  whole = await session.retrain({}, 'base', { ...full, name: 'whole' });
});
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
