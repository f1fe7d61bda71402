/** @file Timestamps as drivers write them, and times by the wall clock where there are none. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { GpuContext } from './device';
import { LaunchClock } from './launchClock';

beforeAll(() => {
  vi.stubGlobal('GPUBufferUsage', { QUERY_RESOLVE: 512, COPY_SRC: 4, COPY_DST: 8, MAP_READ: 1 });
  vi.stubGlobal('GPUMapMode', { READ: 1 });
});
afterAll(() => vi.unstubAllGlobals());

const encoder = {
  resolveQuerySet: () => undefined,
  copyBufferToBuffer: () => undefined,
} as unknown as GPUCommandEncoder;

/** A device whose queries give these nanoseconds. */
function pretend(stamps: readonly number[] | null): GpuContext {
  const device = {
    features: new Set(stamps === null ? [] : ['timestamp-query']),
    createQuerySet: () => ({ destroy: () => undefined }),
    createBuffer: () => ({
      mapAsync: async () => undefined,
      getMappedRange: () => BigInt64Array.from((stamps ?? []).map(BigInt)).buffer,
      destroy: () => undefined,
    }),
  };
  return { device } as unknown as GpuContext;
}

async function timesOf(clock: LaunchClock, launches: readonly string[], wallMs = 0): Promise<unknown[]> {
  for (const kernel of launches) {
    clock.pass();
    clock.launched(kernel, kernel === 'uncounted' ? null : 100);
  }
  await clock.close(encoder)(wallMs);
  return clock.times().map(({ kernel, launches: count, milliseconds, flops }) => [kernel, count, milliseconds, flops]);
}

test('timestamps of passes add up by kernel', async () => {
  const clock = new LaunchClock(pretend([0, 1e6, 1e6, 4e6, 5e6, 7e6]), { eachLaunch: true });
  expect([clock.timing, clock.eachSubmission]).toEqual(['timestamps', false]);
  expect(await timesOf(clock, ['a', 'uncounted', 'a'], 99)).toEqual([
    ['a', 2, 3, 200],
    ['uncounted', 1, 3, null],
  ]);
  expect(clock.plausible).toBe(true);
  clock.reset();
  expect(clock.times()).toEqual([]);
});

test.each([
  ['only zeros', [0, 0, 0, 0]],
  ['an end before its beginning', [0, 2e6, 9e6, 3e6]],
])('%s is not plausible', async (_, stamps) => {
  const clock = new LaunchClock(pretend(stamps), { eachLaunch: true });
  await timesOf(clock, ['a', 'b']);
  expect(clock.plausible).toBe(false);
});

test('without timestamps each launch is a submission, and the wall clock tells its time', async () => {
  const clock = new LaunchClock(pretend(null), { eachLaunch: true });
  expect([clock.timing, clock.eachSubmission]).toEqual(['wall clock', true]);
  expect(await timesOf(clock, ['a'], 2)).toEqual([['a', 1, 2, 100]]);
  expect(await timesOf(clock, ['a'], 3)).toEqual([['a', 2, 5, 200]]);
  expect(await timesOf(clock, [], 7)).toEqual([['a', 2, 5, 200]]);
});

test('launches that are timed together count as the first one', async () => {
  const clock = new LaunchClock(pretend(null), { eachLaunch: false });
  expect(clock.eachSubmission).toBe(false);
  expect(await timesOf(clock, ['a', 'a', 'a'], 6)).toEqual([['a', 3, 6, 300]]);
});
