import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CallsUnderWay } from './underWay';

const a = new AbortController().signal;
const b = new AbortController().signal;
const heard = async (): Promise<void> => undefined;
const deafThread = (): Promise<void> => new Promise(() => undefined);
let calls: CallsUnderWay;

beforeEach(() => {
  vi.useFakeTimers();
  calls = new CallsUnderWay();
  calls.begin({ job: 1, method: 'latency', signal: a });
  calls.begin({ job: 2, method: 'generate', signal: b });
});
afterEach(() => void vi.useRealTimers());

/** What `hearing` says when the thread does not answer. */
async function whileBusy(signal: AbortSignal): Promise<string> {
  const hearing = calls.hearing(signal, deafThread);
  await vi.advanceTimersByTimeAsync(2000);
  return hearing;
}

test('a call that runs and holds the thread is deaf; one that waits behind it is not', async () => {
  calls.turn = { job: 1 };
  expect(await whileBusy(a)).toBe('deaf');
  expect(await whileBusy(b)).toBe('behind');
  expect(calls.onlyWaits(2)).toBe(true);
  expect(calls.onlyWaits(1)).toBe(false);
});

test('where the thread hears, all that waits has left: what is left is deaf', async () => {
  expect(await calls.hearing(a, heard)).toBe('deaf');
  const ended = calls.hearing(b, async () => calls.end(2));
  expect(await ended).toBe('over');
  expect(await calls.hearing(b, heard)).toBe('over');
});

test('a thread that is held by nobody knows whom is said to be so', async () => {
  expect(await whileBusy(a)).toBe('unknown');
  calls.turn = { job: null }; // a session that several wait for
  expect(await whileBusy(a)).toBe('unknown');
  expect(calls.onlyWaits(1)).toBe(false);
});

test('what a new worker would lose is every other call', () => {
  expect(calls.besides(a).map(({ method }) => method)).toEqual(['generate']);
  expect(calls.besides(undefined).map(({ method }) => method)).toEqual(['latency', 'generate']);
  calls.clear();
  expect(calls.size).toBe(0);
});
