import { expect, test } from 'vitest';
import { LabError } from '../errors';
import { PassingFailure, pause, type RetryPolicy, retryAfter, withRetries } from './retry';

const policy: RetryPolicy = { attempts: 3, firstWait: 20, longestWait: 30, longestAsked: 100, silence: 100 };
const failure = new LabError('network', 'no', 'none');

test('Retry-After in seconds, as a date, and as nonsense', () => {
  const answer = (value: string): Response => new Response(null, { headers: { 'retry-after': value } });
  expect(retryAfter(answer('7'))).toBe(7000);
  expect(retryAfter(answer('Wed, 21 Oct 2026 07:28:00 GMT'), Date.UTC(2026, 9, 21, 7, 27))).toBe(60_000);
  expect(retryAfter(answer('Wed, 21 Oct 2026 07:28:00 GMT'), Date.UTC(2027, 0, 1))).toBe(0);
  expect(retryAfter(answer('soon'))).toBeNull();
  expect(retryAfter(new Response())).toBeNull();
});

test('waits grow, between half and all of the policy’s, and the last failure is told', async () => {
  const times: number[] = [];
  const attempt = async (): Promise<never> => {
    times.push(performance.now());
    throw new PassingFailure(failure);
  };
  await expect(withRetries(attempt, policy, undefined)).rejects.toBe(failure);
  expect(times).toHaveLength(3);
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(9);
  expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(14);
});

test('attempts that get further do not use the others up', async () => {
  let got = 0;
  const attempt = async (): Promise<number> => {
    got += 1;
    if (got < 10) throw new PassingFailure(failure);
    return got;
  };
  expect(await withRetries(attempt, { ...policy, firstWait: 1 }, undefined, () => got)).toBe(10);
});

test('a refusal is not tried again, a cancelled wait ends at once', async () => {
  let calls = 0;
  const refusal = async (): Promise<never> => {
    calls += 1;
    throw failure;
  };
  await expect(withRetries(refusal, policy, undefined)).rejects.toBe(failure);
  expect(calls).toBe(1);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 10);
  const waiting = withRetries(
    async () => {
      throw new PassingFailure(failure, 90);
    },
    policy,
    controller.signal,
  );
  const started = performance.now();
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  expect(performance.now() - started).toBeLessThan(80);
});

test('a wait whose signal has fired before it begins ends at once', async () => {
  await expect(pause(2 ** 30, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  const controller = new AbortController();
  const longWait = { ...policy, longestAsked: 2 ** 31, onWait: () => controller.abort() };
  const attempt = async (): Promise<never> => {
    throw new PassingFailure(failure, 2 ** 30);
  };
  await expect(withRetries(attempt, longWait, controller.signal)).rejects.toMatchObject({ code: 'aborted' });
});
