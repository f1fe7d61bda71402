import { afterEach, expect, test, vi } from 'vitest';
import { LabError } from '../errors';
import { serveThread, Thread, type ThreadMethods, type ThreadOptions, type WorkerLike } from './thread';

afterEach(() => {
  vi.useRealTimers();
});

/** A worker in this thread, by two ports; `held` calls never come back. */
function worker(methods: ThreadMethods, log: string[]): WorkerLike {
  const { port1, port2 } = new MessageChannel();
  const scope = { postMessage: (data: unknown) => port2.postMessage(data), onmessage: null } as unknown as Worker;
  serveThread(scope, methods);
  port2.onmessage = (event) => scope.onmessage?.(event);
  const made: WorkerLike = {
    onmessage: null,
    onerror: null,
    postMessage: (data: unknown) => port1.postMessage(data),
    terminate: () => {
      log.push('ended');
      port1.close();
    },
  };
  port1.onmessage = (event) => made.onmessage?.call(made as Worker, event);
  return made;
}

function threadOf(methods: ThreadMethods, more: Partial<ThreadOptions> = {}) {
  const log: string[] = [];
  const thread = new Thread({
    methods,
    spawn: () => worker(methods, log),
    patience: 1000,
    failed: (what) => new LabError('bad-tokenizer', `stopped: ${what}`, 'Use another.'),
    ...more,
  });
  return { thread, log };
}

const never = () => new Promise<never>(() => undefined);
const methods: ThreadMethods = {
  add: (_, a: number, b: number) => a + b,
  fail: () => {
    throw new LabError('bad-source', 'no', 'none');
  },
  bug: () => {
    throw new TypeError('a bug');
  },
  never,
  ask: async ({ ask }, what: string) => `${await ask(what)}!`,
};

test.each<[string, Partial<ThreadOptions>]>([
  ['a worker', {}],
  ['no worker', { spawn: null }],
])('with %s, methods answer, fail and ask', async (_, more) => {
  const { thread } = threadOf(methods, more);
  expect(await thread.call('add', [1, 2])).toBe(3);
  await expect(thread.call('fail', [])).rejects.toMatchObject({ code: 'bad-source', message: 'no', remedy: 'none' });
  await expect(thread.call('bug', [])).rejects.toThrow('a bug');
  expect(await thread.call('ask', ['who'], { onAsk: async (what) => `${what}?` })).toBe('who?!');
  thread.end(new LabError('aborted', 'over', ''));
});

test('a silent thread is ended, and everything that waits for it is told', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { thread, log } = threadOf(methods);
  const calls = [thread.call('never', []), thread.call('add', [1, 2])].map((call) =>
    call.catch((thrown: unknown) => (thrown as LabError).message),
  );
  await vi.advanceTimersByTimeAsync(1001);
  const message = 'stopped: it did not respond for 1 s';
  expect(await Promise.all(calls)).toEqual([message, message]);
  expect(log).toEqual(['ended']);
  await expect(thread.call('add', [1, 2])).rejects.toThrow(message);
});

test('a call that is cancelled rejects at once and takes its thread with it', async () => {
  const { thread, log } = threadOf(methods);
  const controller = new AbortController();
  const cancelled = thread.call('never', [], { signal: controller.signal });
  const other = thread.call('add', [1, 2]);
  controller.abort();
  await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
  await expect(other).rejects.toMatchObject({ code: 'aborted' });
  expect(log).toEqual(['ended']);
  await expect(thread.call('add', [], { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
});

test('a thread whose script does not come is done without; one that breaks later is ended', async () => {
  let broken: WorkerLike | null = null;
  const spawn = (): WorkerLike => {
    broken = { onmessage: null, onerror: null, postMessage: () => undefined, terminate: () => undefined };
    return broken;
  };
  const { thread } = threadOf(methods, { spawn });
  const sum = thread.call('add', [1, 2]);
  const fails = (worker: WorkerLike | null) =>
    worker?.onerror?.call(worker as Worker, { message: 'broken' } as ErrorEvent);
  fails(broken);
  expect(await sum).toBe(3);
  expect(await thread.call('add', [2, 3])).toBe(5);

  const { thread: later } = threadOf(methods, { spawn });
  const never = later.call('never', []);
  const said = { data: { call: 1, done: 0, total: 1 } } as MessageEvent;
  (broken as WorkerLike | null)?.onmessage?.call(broken as unknown as Worker, said);
  fails(broken);
  await expect(never).rejects.toThrow('its thread failed');
});

test('while it waits for our answer a thread may be silent', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { thread, log } = threadOf(methods);
  let answer = (_: string): void => undefined;
  const asked = new Promise<void>((heard) => {
    const call = thread.call('ask', ['who'], {
      onAsk: () => {
        heard();
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    });
    call.catch(() => undefined);
  });
  await asked;
  await vi.advanceTimersByTimeAsync(5000);
  expect(log).toEqual([]);
  answer('you');
  await vi.advanceTimersByTimeAsync(1001);
});
