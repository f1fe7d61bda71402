import { expect, test, vi } from 'vitest';
import { deferred } from '../../deferred';
import type { Engine } from '../../engine/engine';
import { unlessAborted } from '../../errors';
import type { ModelView } from '../../model/view';
import { ViewEngines } from './viewEngines';

interface FakeEngine {
  readonly id: string;
  busy: boolean;
  lastUsed: number;
  close(): Promise<void>;
}

/** A base engine whose `open` may wait for a gate. */
function pretend() {
  const opened: string[] = [];
  const closed: string[] = [];
  const gates = new Map<string, Promise<void>>();
  const open = async ({ id }: ModelView, { signal }: { signal?: AbortSignal }): Promise<FakeEngine> => {
    opened.push(id);
    await unlessAborted(gates.get(id) ?? Promise.resolve(), signal);
    const close = async () => {
      closed.push(id);
    };
    return { id, busy: false, lastUsed: opened.length, close };
  };
  const engines = new ViewEngines();
  const base = { open } as unknown as Engine;
  const get = async (id: string, signal?: AbortSignal) =>
    (await engines.of(base, { id } as ModelView).join({ signal })) as unknown as FakeEngine;
  return { opened, closed, gates, engines, get };
}

test('an engine opens once for all who ask, and again after it was closed', async () => {
  const { opened, closed, engines, get } = pretend();
  const [first, second] = await Promise.all([get('a'), get('a')]);
  expect(second).toBe(first);
  await engines.close('a');
  await engines.close('a');
  expect(await get('a')).not.toBe(first);
  expect([opened, closed]).toEqual([['a', 'a'], ['a']]);
});

test('a few stay open: the one unused for longest closes, but none that is at work', async () => {
  const { closed, get } = pretend();
  const engines: FakeEngine[] = [];
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) engines.push(await get(id));
  expect(closed).toEqual([]);
  engines[0]!.busy = true;
  engines[1]!.lastUsed = 100;
  await get('g');
  expect(closed).toEqual(['c']);
  expect(await get('a')).toBe(engines[0]);
  expect(await get('c')).not.toBe(engines[2]);
  expect(closed).toEqual(['c', 'd']);
});

test('a view that is discarded while it opens is closed when it is there; a cancelled one opens anew', async () => {
  const { opened, closed, gates, engines, get } = pretend();
  const gate = deferred();
  gates.set('a', gate.promise);
  const waiting = get('a');
  const discarded = engines.close('a');
  gate.resolve();
  await discarded;
  await waiting;
  await vi.waitFor(() => expect(closed).toContain('a'));
  gates.set('b', deferred().promise);
  const controller = new AbortController();
  const leaving = get('b', controller.signal);
  controller.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'aborted' });
  gates.clear();
  expect((await get('b')).id).toBe('b');
  expect(opened).toEqual(['a', 'b', 'b']);
});
