/** @file Full training where memory is short: losses and weights of the training that has room for all. */
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { ModelShape } from '../../model/shape';
import type { AdamW } from '../../numerics/adamw';
import type { TokenSequences } from '../../numerics/tokens';
import { inFloat32 } from '../../weights/inFloat32';
import { WrittenWeights } from '../../weights/written';
import { Engine, type EngineOptions } from '../engine';
import type { GpuContext } from '../gpu/device';
import { limitMemory } from '../testing/fullGpu';
import { sharedTestDevice } from '../testing/harness';
import { block, randomModel, tinyShape } from '../testing/testWeights';
import { fullWeights } from './fullWeights';
import { MomentStore } from './moments';
import type { StatePart, TrainingState } from './state';
import type { Trainer } from './trainer';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});
const open: { engine: Engine; trainer: Trainer }[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const { engine, trainer } of open.splice(0)) {
    trainer.close();
    engine.dispose();
  }
});

const optimizer: AdamW = { learningRate: 3e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };
const layers = 3;
const shape: ModelShape = {
  ...tinyShape(Array.from({ length: layers }, (_, source) => block(source))),
  tiedHead: false,
};
const batches: TokenSequences[] = [
  [
    [1, 5, 9, 13, 17, 21, 25, 29],
    [66, 0, 2, 4, 3],
  ],
  [[7, 7, 8, 1, 2, 3]],
];
const { targets: fullTargets } = fullWeights;
const model = randomModel(shape, 'F32');
/** Of embedding, head and final norm, which always stay on the GPU. */
const tableBytes = 2 * 67 * 32 * 4 + 32 * 4;
/** Of a block: float32. */
const blockBytes = 4 * (2 * 32 + 32 * 32 * 2 + 2 * 16 * 32 + 3 * 44 * 32);
const bytesFor = (blocks: number, more = 0): number => (tableBytes + blocks * blockBytes + more) / 0.75;

async function opened(options: EngineOptions = {}, pieceElements = 300) {
  const written = new WrittenWeights(inFloat32(model.shape, model.weights, 'training'), 'training written');
  const view = {
    shape: model.shape,
    weights: written,
    writeBack: (source: number, pieces: Parameters<WrittenWeights['writeBack']>[1]) =>
      written.writeBack(source, pieces),
  };
  const engine = await Engine.create(context, view, options);
  const trainer = engine.trainer(fullWeights, new MomentStore(pieceElements));
  open.push({ engine, trainer });
  return { engine, trainer };
}

async function stateOf(trainer: Trainer): Promise<Map<string, Float32Array<ArrayBuffer>>> {
  const state = new Map<string, Float32Array<ArrayBuffer>>();
  await trainer.save(async ({ key, kind, count, first, values }: StatePart) => {
    const whole = state.get(`${kind} ${key}`) ?? new Float32Array(count);
    whole.set(values, first);
    state.set(`${kind} ${key}`, whole);
  });
  return state;
}

async function trained({ trainer }: { trainer: Trainer }, clip: number | undefined) {
  const steps = [];
  for (const batch of batches)
    steps.push(await trainer.step(batch, { optimizer, ...(clip !== undefined && { clip }) }));
  return { steps, state: await stateOf(trainer) };
}

/** The steps and the state of the training that has room for all. */
const whole = new Map<number | undefined, ReturnType<typeof trained>>();
async function expected(clip: number | undefined) {
  const known = whole.get(clip) ?? trained(await opened(), clip);
  whole.set(clip, known);
  return known;
}

const rest = 3 * (layers * blockBytes + tableBytes);
test.each([
  ['moments outside of the GPU', bytesFor(layers, rest - 3000), layers, 0.5],
  ['block by block, with room for all blocks', bytesFor(layers, 4 * blockBytes), layers, undefined],
  ['block by block, two blocks at a time', 1, 2, 0.5],
])('%s: losses, weights and moments to the last bit', async (_, memoryBytes, slots, clip) => {
  const short = await opened({ memoryBytes });
  expect(await trained(short, clip)).toEqual(await expected(clip));
  expect(short.engine.memory().blocks.slots).toBe(slots);
});

test('saved where moments are outside of the GPU, and restored where all fit: on to the last bit', async () => {
  const short = await opened({ memoryBytes: 1 });
  await short.trainer.step(batches[0]!, { optimizer });
  const saved = await stateOf(short.trainer);
  const read: TrainingState['read'] = async (key, kind, first, count) =>
    saved.get(`${kind} ${key}`)!.slice(first, first + count);
  for (const memoryBytes of [undefined, 1]) {
    const { trainer } = await opened({ memoryBytes }, 197);
    await trainer.restore({ steps: 1, read });
    await trainer.step(batches[1]!, { optimizer });
    expect(await stateOf(trainer)).toEqual((await expected(undefined)).state);
  }
});

test('a GPU that is full before all gradients are there: block by block from then on', async () => {
  const full = await opened();
  const { liveBytes } = full.engine.memory();
  const all = await expected(undefined);
  limitMemory(layers * blockBytes + 2 ** 16);
  expect(await trained(full, undefined)).toEqual(all);
  vi.restoreAllMocks();
  // Moments would take twice the bytes of the weights.
  expect(full.engine.memory().liveBytes - liveBytes).toBeLessThan(layers * blockBytes);
});

test('a step that is cancelled while it changes weights ends first; one before changes nothing', async () => {
  const { trainer } = await opened({ memoryBytes: 1 });
  const before = await stateOf(trainer);
  const early = AbortSignal.abort();
  await expect(trainer.step(batches[0]!, { optimizer, signal: early })).rejects.toMatchObject({ code: 'aborted' });
  expect(await stateOf(trainer)).toEqual(before);
  const controller = new AbortController();
  const targets = vi.spyOn(fullWeights, 'targets').mockImplementationOnce((...args) => {
    controller.abort();
    return fullTargets(...args);
  });
  const { loss } = await trainer.step(batches[0]!, { optimizer, signal: controller.signal });
  expect(targets).toHaveBeenCalled();
  expect(loss).toBe((await expected(undefined)).steps[0]!.loss);
  expect(trainer.steps).toBe(1);
});
