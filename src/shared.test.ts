import { expect, test } from 'vitest';
import { deferred } from './deferred';
import { SharedWork } from './shared';
import type { Progress } from './task';

const progress: Progress = { stage: 'work', done: 1, total: 2, unit: 'steps' };

test('one who leaves is told at once, and the others get the result', async () => {
  const work = deferred<number>();
  let stopped: AbortSignal | undefined;
  let tell: (progress: Progress) => void = () => undefined;
  const shared = new SharedWork<number>(({ signal, onProgress }) => {
    stopped = signal;
    tell = onProgress ?? tell;
    return work.promise;
  });
  const heard: string[] = [];
  const leaving = new AbortController();
  const first = shared.join({ signal: leaving.signal, onProgress: () => heard.push('first') });
  const second = shared.join({ onProgress: () => heard.push('second') });
  tell(progress);
  leaving.abort();
  await expect(first).rejects.toMatchObject({ code: 'aborted' });
  tell(progress);
  expect(heard).toEqual(['first', 'second', 'second']);
  expect(stopped?.aborted).toBe(false);
  work.resolve(7);
  expect(await second).toBe(7);
  expect(shared.abandoned).toBe(false);
});

test('the work is stopped when all have left, and only then', async () => {
  let stopped: AbortSignal | undefined;
  const shared = new SharedWork<never>(({ signal }) => {
    stopped = signal;
    return new Promise(() => undefined);
  });
  const controllers = [new AbortController(), new AbortController()] as const;
  const joined = controllers.map(({ signal }) => shared.join({ signal }));
  controllers[0].abort();
  await expect(joined[0]).rejects.toMatchObject({ code: 'aborted' });
  expect(stopped?.aborted).toBe(false);
  controllers[1].abort();
  await expect(joined[1]).rejects.toMatchObject({ code: 'aborted' });
  expect(stopped?.aborted).toBe(true);
  expect(shared.abandoned).toBe(true);
  await expect(shared.join({})).rejects.toMatchObject({ code: 'aborted' });
});
