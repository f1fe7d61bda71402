import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deferred } from '../deferred';
import { RuntimeQueue } from './queue';
import { watched } from './watchdog';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Lets so many beats of the watchdog pass. */
const beats = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

test('who is cancelled while waiting for the runtime hears of it at once; the run in front goes on', async () => {
  const queue = new RuntimeQueue();
  const front = deferred<string>();
  const running = queue.enqueue(() => front.promise);
  const controller = new AbortController();
  const begun = vi.fn(async () => 'begun');
  const waiting = queue.enqueue(begun, { signal: controller.signal });
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  front.resolve('ran');
  expect(await running).toBe('ran');
  expect(await queue.enqueue(async () => 'next')).toBe('next');
  expect(begun).not.toHaveBeenCalled();
});

test('the listener hears whose turn it is, and when it ends', async () => {
  const queue = new RuntimeQueue();
  const { signal } = new AbortController();
  const turns: unknown[] = [];
  queue.listener = (turn) => turns.push(turn === null ? null : turn.signal);
  await queue.enqueue(async () => turns.push('runs'), { signal });
  expect(turns).toEqual([signal, 'runs', null]);
});

test('a call that gives did not respond is given up, and says so; all behind it too', async () => {
  const queue = new RuntimeQueue();
  const watch = { doing: 'A run', patience: 5 };
  const late = deferred();
  const hung = queue.enqueue(() => late.promise, { watch });
  const heard = expect(hung).rejects.toMatchObject({
    code: 'no-answer',
    message: expect.stringContaining('A run: ONNX Runtime does not respond'),
    remedy: expect.stringContaining('finished numbers are kept'),
  });
  const behind = expect(queue.enqueue(async () => 1)).rejects.toMatchObject({ code: 'no-answer' });
  await beats(5);
  expect(queue.stuck).toBe(false);
  await beats(1);
  await heard;
  await behind;
  expect(queue.stuck).toBe(true);
  await expect(queue.enqueue(async () => 1)).rejects.toMatchObject({ code: 'no-answer' });
  late.resolve(); // after all
  await beats(0);
  expect(await queue.enqueue(async () => 1)).toBe(1);
});

test('a slow call that shows signs of life is never given up', async () => {
  const answer = deferred<number>();
  let sign = (): void => undefined;
  const slow = watched(
    (alive) => {
      sign = alive;
      return answer.promise;
    },
    { doing: 'A creation', patience: 3 },
  );
  for (let i = 0; i < 20; i++) {
    await beats(3);
    sign();
  }
  answer.resolve(4);
  expect(await slow).toBe(4);
});

test('a GPU that works is a sign of life; one that is idle while the call does not answer is none', async () => {
  const answer = deferred<never>();
  let gpu = deferred();
  const watch = { doing: 'A run', patience: 4, gpuIdle: () => gpu.promise };
  const heard = expect(watched(() => answer.promise, watch)).rejects.toMatchObject({ code: 'no-answer' });
  await beats(30); // at work all the time
  gpu.resolve();
  gpu = deferred();
  await beats(30);
  gpu.resolve(); // from here on idle
  gpu = { ...gpu, promise: Promise.resolve() };
  await beats(6);
  await heard;
});

test('what a call throws at once is its failure', async () => {
  const watch = { doing: 'A run', patience: 1 };
  await expect(
    watched(() => {
      throw new Error('at once');
    }, watch),
  ).rejects.toThrow('at once');
});
