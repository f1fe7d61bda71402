import { expect, test, vi } from 'vitest';
import { abortedError, LabError } from '../errors';
import { browserLine } from './line';
import { PassingFailure, pause, type RetryPolicy, retryAfter, whileAlive, withRetries } from './retry';

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
  const waits: number[] = [];
  const attempt = async (): Promise<never> => {
    throw new PassingFailure(failure);
  };
  const told = { ...policy, onWait: (wait: number) => waits.push(wait) };
  await expect(withRetries(attempt, told, undefined)).rejects.toBe(failure);
  expect(waits).toHaveLength(2);
  expect(waits[0]).toBeGreaterThanOrEqual(10);
  expect(waits[0]).toBeLessThanOrEqual(20);
  expect(waits[1]).toBeGreaterThanOrEqual(15);
  expect(waits[1]).toBeLessThanOrEqual(30);
});

test('attempts that get further do not use the others up', async () => {
  let got = 0;
  const attempt = async (): Promise<number> => {
    got += 20_000;
    if (got < 200_000) throw new PassingFailure(failure);
    return got;
  };
  expect(await withRetries(attempt, { ...policy, firstWait: 1 }, undefined, () => got)).toBe(200_000);
});

test.each([
  ['a byte per attempt is no progress', { attempts: 4 }, 1, 4],
  ['what small steps bring together is some', { attempts: 4, leastProgress: 10, mostAttempts: 30 }, 5, 30],
  ['attempts are bounded however far they get', { attempts: 4, mostAttempts: 7 }, 1e6, 7],
])('%s', async (_, own, step, expected) => {
  let calls = 0;
  const attempt = async (): Promise<never> => {
    calls += 1;
    throw new PassingFailure(failure);
  };
  const quick = { ...policy, firstWait: 0, ...own };
  await expect(withRetries(attempt, quick, undefined, () => calls * step)).rejects.toBe(failure);
  expect(calls).toBe(expected);
});

test('without a connection it waits for one, says so, and can be cancelled', async () => {
  let connected = false;
  let come = (): void => undefined;
  const line = {
    connected: () => connected,
    back: (signal: AbortSignal | undefined) =>
      new Promise<void>((resolve, reject) => {
        come = resolve;
        signal?.addEventListener('abort', () => reject(abortedError()));
      }),
  };
  const said: string[] = [];
  let calls = 0;
  const attempt = async (): Promise<number> => {
    calls += 1;
    if (!connected) throw new PassingFailure(failure);
    return calls;
  };
  const own = { ...policy, attempts: 1, line, onOffline: () => said.push('offline') };
  const waiting = withRetries(attempt, own, undefined);
  await vi.waitFor(() => expect(said).toEqual(['offline']));
  connected = true;
  come();
  expect(await waiting).toBe(2);
  connected = false;
  const controller = new AbortController();
  const given = withRetries(attempt, own, controller.signal);
  await vi.waitFor(() => expect(said).toHaveLength(2));
  controller.abort();
  await expect(given).rejects.toMatchObject({ code: 'aborted' });
  // If a stored copy exists, there is no long wait.
  await expect(withRetries(attempt, { ...own, line: null }, undefined)).rejects.toBe(failure);
});

test('a signal that has fired already ends a pause at once; the browser’s own word is asked', async () => {
  const fired = AbortSignal.abort();
  const attempt = async (): Promise<never> => {
    throw new PassingFailure(failure, 1e5);
  };
  await expect(withRetries(attempt, { ...policy, longestAsked: 1e6 }, fired)).rejects.toMatchObject({
    code: 'aborted',
  });
  const late = new AbortController();
  const own = { ...policy, longestAsked: 1e6, onWait: () => late.abort() };
  await expect(withRetries(attempt, own, late.signal)).rejects.toMatchObject({ code: 'aborted' });
  expect(browserLine.connected()).toBe(true);
  await browserLine.back(undefined);
});

test('drops are silence: less than 1 KiB in its time ends a connection, work on this side does not', async () => {
  const drops = whileAlive(
    async (signal, alive) => {
      const dropping = setInterval(() => alive(1), 5);
      try {
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));
      } finally {
        clearInterval(dropping);
      }
    },
    30,
    undefined,
    () => failure,
  );
  await expect(drops).rejects.toBeInstanceOf(PassingFailure);
  const slowDisk = whileAlive(
    (signal, alive) =>
      alive.own(new Promise((resolve) => setTimeout(() => resolve(signal.aborted ? 'ended' : 'stored'), 60))),
    30,
    undefined,
    () => failure,
  );
  expect(await slowDisk).toBe('stored');
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
      throw new PassingFailure(failure, 1e6);
    },
    { ...policy, longestAsked: 1e7 },
    controller.signal,
  );
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
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
