import { expect, test } from 'vitest';
import { deferred } from './deferred';
import { Turns } from './turns';

const later = () => new Promise<void>((resolve) => setTimeout(resolve));

test('a job that is cancelled while it waits rejects at once and never begins; the one in front goes on', async () => {
  const turns = new Turns();
  const front = deferred<string>();
  const log: string[] = [];
  const first = turns.take(() => front.promise);
  const controller = new AbortController();
  const second = turns.take(
    async () => {
      log.push('second');
    },
    controller.signal,
    'Waiting',
  );
  const third = turns.take(async () => {
    log.push('third');
    return 3;
  });
  controller.abort();
  await expect(second).rejects.toMatchObject({ code: 'aborted', message: 'Waiting was cancelled.' });
  await later();
  expect(log).toEqual([]); // the third one did not overtake the first
  front.resolve('done');
  expect(await first).toBe('done');
  expect(await third).toBe(3);
  expect(log).toEqual(['third']);
});

test('a signal that has fired already keeps a job from waiting at all; jobs go on after a failure', async () => {
  const turns = new Turns();
  const front = deferred<never>();
  const first = turns.take(() => front.promise);
  await expect(turns.take(async () => 1, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  const last = turns.take(async () => 2);
  front.reject(new Error('no'));
  await expect(first).rejects.toThrow('no');
  expect(await last).toBe(2);
});

test('who waits for idleness waits for every job and may leave', async () => {
  const turns = new Turns();
  const front = deferred<void>();
  void turns.take(() => front.promise);
  const controller = new AbortController();
  const left = turns.idle(controller.signal);
  const stayed = turns.idle();
  controller.abort();
  await expect(left).rejects.toMatchObject({ code: 'aborted' });
  front.resolve();
  await stayed;
});
