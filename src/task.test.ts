/** @file Work that cannot be stopped, and a signal that must be heard all the same. */
import { expect, test } from 'vitest';
import { unlessAborted } from './errors';
import { breathe } from './task';

const busy = (milliseconds: number): void => {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
};

test('work that never waits hears a message within two of its steps, once it breathes', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 0);
  let steps = 0;
  while (!controller.signal.aborted && steps < 20) {
    busy(60);
    await breathe();
    steps += 1;
  }
  expect(steps).toBeLessThanOrEqual(2);
});

test('an abort does not wait for the work, and listens to the signal no longer than the work lasts', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  await expect(unlessAborted(Promise.resolve(3), signal)).resolves.toBe(3);
  await expect(unlessAborted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  const endless = unlessAborted(new Promise(() => undefined), signal, 'Waiting');
  controller.abort();
  await expect(endless).rejects.toMatchObject({ code: 'aborted', message: 'Waiting was cancelled.' });
  await expect(unlessAborted(Promise.resolve(3), signal)).rejects.toMatchObject({ code: 'aborted' });
});
