/** @file The link to a worker that ends, is replaced and resumes its session, over workers of the test's own. */
import { expose } from 'comlink';
import { afterEach, expect, type Mock, test, vi } from 'vitest';
import { abortedError, LabError } from '../../errors';
import { toFailure } from '../contract/failure';
import { WorkerLink } from './workerLink';

type Answer = (args: readonly unknown[]) => unknown;

interface FakeWorker {
  readonly worker: Worker;
  readonly terminated: Mock<() => void>;
  /** Methods that were called, in their order. */
  readonly calls: readonly string[];
  /** What happens when a call is cancelled. */
  onCancel(listener: () => void): void;
  crash(message: string): void;
}

/** A worker whose session answers like this; `calls` says what it heard. */
function fakeWorker(answers: Record<string, Answer>): FakeWorker {
  const { port1, port2 } = new MessageChannel();
  const calls: string[] = [];
  let cancelling = (): void => undefined;
  const api = {
    async call(_job: number, method: string, args: readonly unknown[]) {
      calls.push(method);
      try {
        return { ok: true, value: await (answers[method] ?? (() => null))(args) };
      } catch (thrown) {
        return { ok: false, failure: toFailure(thrown) };
      }
    },
    cancel: async () => cancelling(),
    ping: async () => undefined,
  };
  expose(api, port2);
  port1.start();
  const errors = new EventTarget();
  const worker = {
    postMessage: (message: unknown, transfer: Transferable[]) => port1.postMessage(message, transfer),
    addEventListener: (type: string, listener: EventListener) =>
      type === 'error' ? errors.addEventListener(type, listener) : port1.addEventListener(type, listener),
    removeEventListener: (type: string, listener: EventListener) => port1.removeEventListener(type, listener),
    terminate: vi.fn(() => {
      port1.close();
      port2.close();
    }),
  };
  const crash = (message: string): void => {
    errors.dispatchEvent(Object.assign(new Event('error'), { message }));
  };
  const onCancel = (listener: () => void): void => {
    cancelling = listener;
  };
  open.push(worker);
  return { worker: worker as unknown as Worker, terminated: worker.terminate, calls, onCancel, crash };
}

const open: { terminate(): void }[] = [];
afterEach(() => {
  for (const worker of open.splice(0)) worker.terminate();
});

/** A link whose workers are these, one after the other. */
function linkOver(...workers: FakeWorker[]): WorkerLink {
  return new WorkerLink(
    () => {
      const next = workers.shift();
      if (!next) throw new Error('no worker is left');
      return next.worker;
    },
    () => ({ memoryBytes: 5 }),
  );
}

test('a worker starts with the first call, is configured, and answers', async () => {
  const one = fakeWorker({ tokenize: ([text]) => [String(text).length] });
  const link = linkOver(one);
  expect(one.calls).toEqual([]);
  expect(await link.call('tokenize', undefined, 'four', {})).toEqual([4]);
  expect(one.calls).toEqual(['configure', 'tokenize']);
});

test('a failure crosses with its code and remedy', async () => {
  const fail = (): never => {
    throw new LabError('out-of-memory', 'It does not fit.', 'Bound the memory.');
  };
  const link = linkOver(fakeWorker({ memory: fail }));
  await expect(link.call('memory', undefined)).rejects.toMatchObject({
    code: 'out-of-memory',
    remedy: 'Bound the memory.',
  });
});

test('a worker that crashes fails the calls under way; the next one resumes its session first', async () => {
  const first = fakeWorker({ snapshot: () => ({ a: 'record' }), memory: () => new Promise(() => undefined) });
  const resumed: unknown[] = [];
  const second = fakeWorker({ restore: ([record]) => void resumed.push(record) });
  const link = linkOver(first, second);
  await link.call('plan', undefined, { blocks: [1] });
  await vi.waitFor(() => expect(first.calls).toContain('snapshot'));
  await link.call('device', undefined); // answers come in their order: the snapshot has crossed
  const running = link.call('memory', undefined);
  await vi.waitFor(() => expect(first.calls).toContain('memory'));
  first.crash('boom');
  await expect(running).rejects.toMatchObject({ code: 'worker', message: expect.stringContaining('boom') });
  expect(first.terminated).toHaveBeenCalled();
  await link.call('stored', undefined);
  expect(second.calls).toEqual(['configure', 'restore', 'stored']);
  expect(resumed).toEqual([{ a: 'record' }]);
});

test('a restart ends what runs, and opens the session again', async () => {
  const first = fakeWorker({ latency: () => new Promise(() => undefined) });
  const second = fakeWorker({});
  const link = linkOver(first, second);
  const running = link.call('latency', undefined, 'v1', {});
  await vi.waitFor(() => expect(first.calls).toContain('latency'));
  expect(link.callsBesides(undefined).map(({ method }) => method)).toEqual(['latency']);
  await Promise.all([link.restart(), expect(running).rejects.toMatchObject({ code: 'worker' })]);
  expect(link.callsBesides(undefined)).toEqual([]);
  await vi.waitFor(() => expect(second.calls).toEqual(['configure']));
});

test('a worker whose ONNX Runtime is lost is replaced once nothing else runs in it', async () => {
  const lost = (): never => {
    throw new LabError('no-answer', 'ONNX Runtime did not answer.', 'It starts again.');
  };
  let finish: (value: unknown) => void = () => undefined;
  const other = new Promise((resolve) => {
    finish = resolve;
  });
  const first = fakeWorker({ latency: lost, memory: () => other });
  const link = linkOver(first, fakeWorker({}));
  const reasons: string[] = [];
  link.restarts.add((reason) => reasons.push(reason));
  const beside = link.call('memory', undefined);
  await expect(link.call('latency', undefined, 'v1', {})).rejects.toMatchObject({ code: 'no-answer' });
  expect(first.terminated).not.toHaveBeenCalled();
  finish(null);
  await beside;
  await vi.waitFor(() => expect(reasons).toEqual(['ONNX Runtime did not answer.']));
  expect(first.terminated).toHaveBeenCalled();
});

test('an aborted call is cancelled in the worker; one that is aborted before it begins never reaches it', async () => {
  const one = fakeWorker({ memory: () => new Promise((_, reject) => one.onCancel(() => reject(abortedError()))) });
  const link = linkOver(one);
  const controller = new AbortController();
  const running = link.call('memory', { signal: controller.signal });
  await vi.waitFor(() => expect(one.calls).toContain('memory'));
  controller.abort();
  await expect(running).rejects.toMatchObject({ code: 'aborted' });
  await expect(link.call('stored', { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
  expect(one.calls).not.toContain('stored');
});

test('changes of variants are told; the perplexity of a plan is none', async () => {
  const link = linkOver(fakeWorker({}));
  let changes = 0;
  link.variantChanges.add(() => {
    changes += 1;
  });
  const plan = { version: 1, model: 'm', removeBlocks: [1], removeAttention: [], removeMlp: [] } as const;
  await link.call('perplexity', undefined, plan, {});
  expect(changes).toBe(0);
  await link.call('perplexity', undefined, 'v1', {});
  await link.call('discard', undefined, 'v1');
  expect(changes).toBe(2);
});

test('what is no plain data is refused by name', async () => {
  const link = linkOver(fakeWorker({}));
  const beyond = { corpus: 'c', samples: () => 1 } as never;
  await expect(link.call('calibrate', undefined, beyond)).rejects.toMatchObject({ code: 'bad-argument' });
});
