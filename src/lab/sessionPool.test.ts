import { expect, test, vi } from 'vitest';
import type { OpenOptions, OrtSession } from '../benchmark/session';
import { unlessAborted } from '../errors';
import { SessionPool } from './sessionPool';

let opened = 0;
vi.mock('../benchmark/session', () => ({
  openSession: async ({ signal }: OpenOptions): Promise<Partial<OrtSession>> => {
    await unlessAborted(new Promise((resolve) => setTimeout(resolve, 20)), signal);
    opened += 1;
    return { release: async () => undefined };
  },
}));

test('a caller who waits for a session that another one opens is not stopped by the other', async () => {
  const pool = new SessionPool();
  const first = new AbortController();
  const options = { runtime: 'ort-wasm', shape: { layers: [] } } as unknown as OpenOptions;
  const check = async (): Promise<void> => undefined;
  const use = (signal: AbortSignal | undefined) => pool.use({ ...options, signal }, check, async () => 'done');
  const both = Promise.allSettled([use(first.signal), use(undefined)]);
  first.abort();
  const [stopped, served] = await both;
  expect(stopped).toMatchObject({ status: 'rejected', reason: { code: 'aborted' } });
  expect(served).toEqual({ status: 'fulfilled', value: 'done' });
  expect(opened).toBe(1);
});
