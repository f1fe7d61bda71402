import { expect, test } from 'vitest';
import { type Deferred, deferred } from '../../deferred';
import type { Buffers } from '../gpu/buffers';
import type { BlockLayout, PartLayout } from './blockLayout';
import { BlockStore } from './blockStore';
import type { WeightUpload } from './weightUpload';

/** A store of `blocks` blocks with room for two; each upload waits for its gate. */
async function storeOf(blocks: number): Promise<{ store: BlockStore; gates: Map<number, Deferred<void>> }> {
  const gates = new Map<number, Deferred<void>>();
  const part = { roles: ['attentionNorm'], bytes: 4, rows: 1, inner: 1, dtype: 'F32' } as unknown as PartLayout;
  const layouts = new Map(
    Array.from({ length: blocks }, (_, source) => {
      const layout = { shape: { source }, attention: null, mlp: null, parts: [part], bytes: 4, key: 'same' };
      return [source, layout as unknown as BlockLayout] as const;
    }),
  );
  const buffers = { allocate: async () => ({}), free: () => undefined } as unknown as Buffers;
  const upload = {
    part: (_part: PartLayout, { shape }: BlockLayout) => gates.get(shape.source)?.promise ?? Promise.resolve(),
    settle: async () => undefined,
  } as unknown as WeightUpload;
  const store = new BlockStore(buffers, upload, layouts);
  await store.fill(8, undefined, () => undefined);
  return { store, gates };
}

test('who is cancelled while a block uploads for two leaves at once; the other one gets the block', async () => {
  const { store, gates } = await storeOf(3);
  const gate = deferred();
  gates.set(2, gate);
  const controller = new AbortController();
  const leaving = store.acquire(2, controller.signal);
  const staying = store.acquire(2, undefined);
  controller.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'aborted' });
  gate.resolve();
  expect((await staying).shape).toMatchObject({ source: 2 });
});

test('who is cancelled while every slot is held leaves at once; the next one gets the slot that comes free', async () => {
  const { store } = await storeOf(3);
  await store.acquire(0, undefined);
  await store.acquire(1, undefined);
  const controller = new AbortController();
  const leaving = store.acquire(2, controller.signal);
  const staying = store.acquire(2, undefined);
  controller.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'aborted' });
  store.release(0);
  expect((await staying).shape).toMatchObject({ source: 2 });
});
