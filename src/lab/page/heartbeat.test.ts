import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../../deferred';
import { watchHeartbeat } from './heartbeat';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a thread that is silent for two minutes while somebody waits is told, and so is its answer', async () => {
  const onSilence = vi.fn();
  const answer = deferred();
  let waiting = true;
  const ping = vi.fn(() => answer.promise);
  watchHeartbeat({ ping, waiting: () => waiting, onSilence });
  await vi.advanceTimersByTimeAsync(8 * 15_000);
  expect(onSilence).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(15_000);
  expect(onSilence.mock.calls).toEqual([[true]]);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ping).toHaveBeenCalledTimes(1);
  waiting = false;
  answer.resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(onSilence.mock.calls).toEqual([[true], [false]]);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ping).toHaveBeenCalledTimes(1); // nobody waits
});

test('a thread that answers is asked on and on, and never called silent', async () => {
  const onSilence = vi.fn();
  const ping = vi.fn(async () => undefined);
  watchHeartbeat({ ping, waiting: () => true, onSilence });
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ping).toHaveBeenCalledTimes(40);
  expect(onSilence).not.toHaveBeenCalled();
});
