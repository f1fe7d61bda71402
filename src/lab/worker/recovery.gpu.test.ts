/** @file The laboratory after the worst: a device that vanishes and memory that runs out, in the middle of a call. */
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { longTier } from '../../engine/testing/harness';
import type { LabError } from '../../errors';
import type { Criterion } from '../../importance/methods';
import type { Session } from './session';
import { goldenOf, inNode, sessionWith } from './testing/nodeSession';

const golden = goldenOf<{
  calibration_token_ids: number[][];
  ppl: number[];
  base_ppl: number;
}>('tiny-a');
const tokenIds = golden.calibration_token_ids;

let session: Session;
inNode({ losesDevice: true, ort: false });
beforeAll(async () => {
  // A tile that compiles quickly: every lost device compiles it anew.
  session = await sessionWith('tiny-a', { tokenIds, settings: { kernel: '4x8' } });
});
afterEach(() => vi.restoreAllMocks());

/** Loses the device in place of its `count`-th launch from now on. */
function loseAtLaunch(count: number): { readonly happened: boolean } {
  const state = { happened: false };
  const original = GPUDevice.prototype.createBindGroup;
  let launches = 0;
  vi.spyOn(GPUDevice.prototype, 'createBindGroup').mockImplementation(function (this: GPUDevice, descriptor) {
    const group = original.call(this, descriptor);
    launches += 1;
    if (launches === count) {
      state.happened = true;
      this.destroy();
    }
    return group;
  });
  return state;
}

/** Answers the `count`-th allocation from now on as a full GPU does: with an error in its scope. */
function refuseMemory(count: number): { readonly refused: boolean } {
  const state = { refused: false };
  const scopes: GPUErrorFilter[] = [];
  const { pushErrorScope, popErrorScope } = GPUDevice.prototype;
  let allocations = 0;
  vi.spyOn(GPUDevice.prototype, 'pushErrorScope').mockImplementation(function (this: GPUDevice, filter) {
    scopes.push(filter);
    return pushErrorScope.call(this, filter);
  });
  vi.spyOn(GPUDevice.prototype, 'popErrorScope').mockImplementation(async function (this: GPUDevice) {
    const filter = scopes.pop();
    if (filter === 'out-of-memory') allocations += 1;
    const error = await popErrorScope.call(this);
    if (filter !== 'out-of-memory' || allocations !== count || state.refused) return error;
    state.refused = true;
    return { message: 'no room' };
  });
  return state;
}

async function failureOf(promise: Promise<unknown>): Promise<Pick<LabError, 'code' | 'remedy'>> {
  return promise.then(
    () => ({ code: 'internal', remedy: 'resolved' }),
    (thrown: LabError) => thrown,
  );
}

async function expectItWorks(): Promise<void> {
  const { scores } = await session.importance({}, 'ppl', {});
  scores.forEach((score, block) => void expect(score / golden.ppl[block]!).toBeCloseTo(1, 3));
  const { perplexity } = await session.perplexity({}, 'base', { tokenIds });
  expect(perplexity / golden.base_ppl).toBeCloseTo(1, 3);
}

const criteria: Criterion[] = ['ppl', 'taylor', 'block-influence', 'magnitude', 'sleb', 'evopress'];
/** A pass forward, one forward and backward; the others take their ways through the engine again. */
const oneOfEach = longTier ? criteria : criteria.slice(0, 2);
/** Each new device compiles every kernel again, which takes seconds: in every run those that `expectItWorks` needs anyway. */
const losing: Criterion[] = longTier ? criteria : ['block-influence'];
/** Every third allocation of a call fails, in the long tier each. */
const stride = longTier ? 1 : 3;

test.each(losing)('%s: the device vanishes on the way, and the next calls work on a new one', async (criterion) => {
  await session.importance({}, 'magnitude', {}); // the engine is there
  for (const launch of longTier ? [1, 5] : [5]) {
    const loss = loseAtLaunch(launch);
    const failure = await failureOf(session.importance({}, criterion, {}));
    expect(loss.happened).toBe(true);
    expect(failure.code).toBe('device-lost');
    expect(failure.remedy).toMatch(/again/);
    vi.restoreAllMocks();
    await session.importance({}, 'magnitude', {});
  }
  await expectItWorks();
});

test('the device vanishes while a live perplexity runs beside a sweep: both hear of it, and both work again', async () => {
  await expectItWorks();
  loseAtLaunch(8);
  const both = await Promise.all([
    failureOf(session.importance({}, 'ppl', {})),
    failureOf(session.perplexity({}, 'base', { tokenIds })),
  ]);
  expect(both.map(({ code }) => code)).toEqual(['device-lost', 'device-lost']);
  vi.restoreAllMocks();
  await expectItWorks();
});

test('the device vanishes while weights are uploaded', async () => {
  const loss = loseAtLaunch(1);
  await failureOf(session.importance({}, 'magnitude', {}));
  expect(loss.happened).toBe(true);
  vi.restoreAllMocks();
  const original = GPUQueue.prototype.writeBuffer;
  let device: GPUDevice | null = null;
  const create = GPUDevice.prototype.createBuffer;
  vi.spyOn(GPUDevice.prototype, 'createBuffer').mockImplementation(function (this: GPUDevice, descriptor) {
    device = this;
    return create.call(this, descriptor);
  });
  let writes = 0;
  vi.spyOn(GPUQueue.prototype, 'writeBuffer').mockImplementation(function (this: GPUQueue, ...args) {
    writes += 1;
    if (writes === 4) device?.destroy();
    return (original as (...all: unknown[]) => undefined).apply(this, args);
  });
  expect((await failureOf(session.perplexity({}, 'base', { tokenIds }))).code).toBe('device-lost');
  vi.restoreAllMocks();
  await expectItWorks();
});

test.each(oneOfEach)('%s: memory runs out at any allocation, and the next calls work', async (criterion) => {
  await session.importance({}, 'magnitude', {});
  for (let allocation = 1; ; allocation += stride) {
    const { slots } = (await session.memory({}))!;
    const memory = refuseMemory(allocation);
    const outcome = await failureOf(session.importance({}, criterion, {}));
    vi.restoreAllMocks();
    if (!memory.refused) break; // it needs no more allocations than that
    if (slots > 2) {
      // Blocks can give way: the engine helps itself.
      expect([allocation, outcome.remedy]).toEqual([allocation, 'resolved']);
      expect((await session.memory({}))!.slots).toBeLessThan(slots);
      continue;
    }
    expect([allocation, outcome.code]).toEqual([allocation, 'out-of-memory']);
    expect(outcome.remedy).toMatch(/fewer|smaller/);
  }
  await expectItWorks();
});

test('memory runs out while weights are uploaded', async () => {
  loseAtLaunch(1);
  await failureOf(session.importance({}, 'magnitude', {}));
  vi.restoreAllMocks();
  const memory = refuseMemory(4);
  expect((await failureOf(session.perplexity({}, 'base', { tokenIds }))).code).toBe('out-of-memory');
  expect(memory.refused).toBe(true);
  vi.restoreAllMocks();
  await expectItWorks();
});

test('the device vanishes while a result is read back', async () => {
  await expectItWorks();
  let device: GPUDevice | null = null;
  const create = GPUDevice.prototype.createBuffer;
  vi.spyOn(GPUDevice.prototype, 'createBuffer').mockImplementation(function (this: GPUDevice, descriptor) {
    device = this;
    return create.call(this, descriptor);
  });
  const map = GPUBuffer.prototype.mapAsync;
  vi.spyOn(GPUBuffer.prototype, 'mapAsync').mockImplementation(function (this: GPUBuffer, mode) {
    const mapped = map.call(this, mode);
    device?.destroy();
    return mapped;
  });
  expect((await failureOf(session.importance({}, 'ppl', {}))).code).toBe('device-lost');
  vi.restoreAllMocks();
  await expectItWorks();
});

test('no adapter for a while after a loss: the loss is said, and the adapter is found when it is back', async () => {
  await expectItWorks();
  loseAtLaunch(1);
  await failureOf(session.importance({}, 'ppl', {}));
  vi.restoreAllMocks();
  const { gpu } = navigator;
  vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => null } });
  expect((await failureOf(session.importance({}, 'ppl', {}))).code).toBe('device-lost');
  expect(await session.device({})).toHaveProperty('adapter'); // a report can still be written
  vi.stubGlobal('navigator', { gpu });
  await expectItWorks();
});
