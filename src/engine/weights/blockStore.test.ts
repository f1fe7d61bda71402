import { expect, test } from 'vitest';
import { type Deferred, deferred } from '../../deferred';
import { LabError } from '../../errors';
import type { ModelShape } from '../../model/shape';
import type { WrittenPiece } from '../../model/view';
import type { Buffers } from '../gpu/buffers';
import type { BlockKeys } from './blockKey';
import type { BlockLayout, PartLayout } from './blockLayout';
import type { BlockReader } from './blockReader';
import { BlockStore, type NewBlock } from './blockStore';
import type { BlockTransfer } from './blockTransfer';
import type { ViewBlocks } from './viewBlocks';

/** A buffer whose contents are one number. */
interface Fake {
  readonly size: number;
  value: number;
  freed: boolean;
}
const fake = (buffer: GPUBuffer): Fake => buffer as unknown as Fake;

/** A store on pretended buffers, and what happened on it. */
class Bench {
  readonly log: string[] = [];
  readonly live = new Set<Fake>();
  readonly gates = new Map<string, Deferred<void>>();
  readonly store: BlockStore;
  /** Bytes that the GPU has. */
  gpuBytes = Number.POSITIVE_INFINITY;

  constructor(slots: number | null) {
    const buffers = {
      allocate: async (size: number) => {
        if (this.usedBytes + size > this.gpuBytes) throw new LabError('out-of-memory', 'The GPU is full.', 'Free it.');
        const buffer: Fake = { size, value: Number.NaN, freed: false };
        this.live.add(buffer);
        return buffer;
      },
      free: (buffer: GPUBuffer) => {
        fake(buffer).freed = true;
        this.live.delete(fake(buffer));
      },
    } as unknown as Buffers;
    const transfer = {
      copy: (pairs: readonly [GPUBuffer, GPUBuffer][]) => {
        this.log.push('copy');
        for (const [from, to] of pairs) fake(to).value = fake(from).value;
      },
      read: async (buffer: GPUBuffer) => Uint8Array.of(fake(buffer).value),
    } as unknown as BlockTransfer;
    this.store = new BlockStore(buffers, transfer);
    this.store.limit(slots === null ? null : slots * 16);
  }

  get usedBytes(): number {
    return Array.from(this.live, ({ size }) => size).reduce((a, b) => a + b, 0);
  }

  /** A view whose block `source` holds values[source]; blocks of equal numbers lie at the same place. */
  async view(id: string, values: number[], { bytes = values.map(() => 16), writes = false } = {}): Promise<TestView> {
    const view = new TestView(this, id, values, bytes, writes);
    await this.store.fill(view.blocks, undefined, () => undefined);
    return view;
  }
}

class TestView {
  readonly values: number[];
  readonly blocks: ViewBlocks;
  readonly reader: BlockReader;
  /** Why the next write back fails. */
  failure: Error | null = null;
  submissions = 0;

  constructor(bench: Bench, id: string, values: number[], bytes: number[], writes: boolean) {
    this.values = [...values];
    const upload = {
      part: async (_: PartLayout, { shape }: BlockLayout, buffer: GPUBuffer, stop: () => void) => {
        await bench.gates.get(`${id} ${shape.source}`)?.promise;
        stop();
        bench.log.push(`${id} ${shape.source}`);
        fake(buffer).value = this.values[shape.source]!;
      },
      settle: async () => undefined,
    };
    const writeBack = async (source: number, pieces: AsyncIterable<WrittenPiece>): Promise<void> => {
      for await (const { role, bytes: piece } of pieces) {
        await bench.gates.get(`save ${source}`)?.promise;
        if (this.failure !== null) throw this.failure;
        bench.log.push(`save ${source} ${role}`);
        this.values[source] = piece[0]!;
      }
    };
    const blocks = new Map(values.map((value, source) => [source, newBlock(source, value, bytes[source]!)]));
    const shape = { hidden: 4 } as unknown as ModelShape;
    this.blocks = bench.store.add({ id, shape, ...(writes ? { writeBack } : {}) }, upload, blocks);
    this.reader = this.blocks.reader({
      submit: async () => {
        this.submissions += 1;
      },
      submitNow: () => {
        this.submissions += 1;
      },
    });
  }

  /** What the buffer of a block holds when a task visits it. */
  async read(source: number, signal?: AbortSignal): Promise<number> {
    return this.#buffer(await this.reader.at(source, signal)).value;
  }

  async write(source: number, value: number): Promise<void> {
    this.#buffer(await this.reader.writable(source)).value = value;
  }

  #buffer({ mlp }: Awaited<ReturnType<BlockReader['at']>>): Fake {
    const buffer = fake(mlp!.norm!);
    expect(buffer.freed).toBe(false);
    return buffer;
  }

  /** A task that visits blocks in order. */
  async pass(route: readonly number[]): Promise<number[]> {
    const found: number[] = [];
    this.reader.follow(route);
    for (const source of route) found.push(await this.read(source));
    this.reader.end();
    return found;
  }
}

function newBlock(source: number, value: number, bytes: number): NewBlock {
  const norm: PartLayout = { roles: ['mlpNorm'], bytes, rows: 1, inner: 4, dtype: 'F32' };
  const matrix = { ...norm, bytes: 0 };
  const mlp = { norm, gateUp: matrix, gateUpBias: null, down: matrix, downBias: null, postNorm: null };
  const shape = { source, heads: 0, kvHeads: 0, headDim: 2, ffn: 1 };
  const layout: BlockLayout = { shape, attention: null, mlp, parts: [norm], bytes, key: `norm ${bytes}` };
  const keys: BlockKeys = { attention: null, mlp: `at ${value}, ${bytes} bytes` };
  return { layout, keys };
}

test('a task that is cancelled while a block uploads for two leaves at once; the other task gets the block', async () => {
  const bench = new Bench(2);
  const [view, other] = [await bench.view('a', [10, 11, 12]), await bench.view('b', [10, 11, 12])];
  const gate = deferred();
  bench.gates.set('a 2', gate);
  const controller = new AbortController();
  const leaving = view.read(2, controller.signal);
  const staying = other.read(2);
  controller.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'aborted' });
  gate.resolve();
  expect(await staying).toBe(12);
});

test('a task that is cancelled while others hold every slot leaves at once; the next one gets the slot that comes free', async () => {
  const bench = new Bench(2);
  const values = [10, 11, 12];
  const [first, second, third, fourth] = [
    await bench.view('a', values),
    await bench.view('b', values),
    await bench.view('c', values),
    await bench.view('d', values),
  ];
  await first.read(0);
  await second.read(1);
  const controller = new AbortController();
  const leaving = third.read(2, controller.signal);
  const staying = fourth.read(2);
  controller.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'aborted' });
  first.reader.end();
  expect(await staying).toBe(12);
});

test('views share equal blocks: each is uploaded once, and switching between views uploads nothing', async () => {
  const bench = new Bench(null);
  const base = await bench.view('base', [10, 11, 12, 13]);
  expect(bench.log).toEqual(['base 0', 'base 1', 'base 2', 'base 3']);
  const pruned = await bench.view('pruned', [10, 12, 13]);
  const patched = await bench.view('patched', [10, 99, 12, 13]);
  expect(bench.log.splice(0)).toEqual(['base 0', 'base 1', 'base 2', 'base 3', 'patched 1']);
  for (let round = 0; round < 2; round++) {
    expect(await base.pass([0, 1, 2, 3])).toEqual([10, 11, 12, 13]);
    expect(await pruned.pass([0, 1, 2])).toEqual([10, 12, 13]);
    expect(await patched.pass([0, 1, 2, 3, 2, 1, 0])).toEqual([10, 99, 12, 13, 12, 99, 10]);
  }
  expect(bench.log).toEqual([]);
  expect(bench.store.use()).toEqual({ blocks: 5, slots: 5, bytes: 80, streamedBytes: 0, uploadedBytes: 80 });
});

test('a closed view frees the blocks that only it uses, the base none of those that a view still uses', async () => {
  const bench = new Bench(null);
  const base = await bench.view('base', [10, 11]);
  const patched = await bench.view('patched', [10, 99]);
  const same = await bench.view('same', [10, 99]);
  patched.blocks.close();
  expect(bench.live.size).toBe(3);
  expect(await same.pass([0, 1])).toEqual([10, 99]);
  base.blocks.close();
  expect(bench.live.size).toBe(2);
  expect(await same.pass([0, 1])).toEqual([10, 99]);
  same.blocks.close();
  expect(bench.live.size).toBe(0);
  expect(bench.store.use()).toMatchObject({ blocks: 0, bytes: 0 });
});

test('when the first user of a block has closed, another one uploads it again', async () => {
  const bench = new Bench(2);
  const parent = await bench.view('parent', [10, 11, 12]);
  const child = await bench.view('child', [10, 11, 12]);
  parent.blocks.close();
  expect(await child.pass([0, 1, 2, 0])).toEqual([10, 11, 12, 10]);
  expect(bench.log).toEqual(['parent 0', 'parent 1', 'child 2', 'child 0']);
});

test('little memory: views of many block sizes take turns within the budget', async () => {
  const bench = new Bench(4);
  const base = await bench.view('base', [10, 11, 12], { bytes: [16, 16, 32] });
  const wide = await bench.view('wide', [20, 21, 22, 12], { bytes: [48, 16, 64, 32] });
  let most = 0;
  for (let round = 0; round < 3; round++) {
    for (const view of [base, wide]) {
      view.reader.follow(view.values.map((_, source) => source));
      for (const [source, value] of view.values.entries()) {
        expect(await view.read(source)).toBe(value);
        // Two blocks are always allowed.
        if (bench.live.size > 2) most = Math.max(most, bench.usedBytes);
      }
      view.reader.end();
    }
  }
  expect(most).toBeLessThanOrEqual(64);
  expect(most).toBeGreaterThan(48);
});

test('when every block was there and a view joins: what readers have encoded is submitted before a slot is reused', async () => {
  const bench = new Bench(2);
  const base = await bench.view('base', [10, 11]);
  await base.pass([0, 1]);
  expect(base.submissions).toBe(0);
  const other = await bench.view('other', [20, 21]);
  expect(await other.pass([0, 1])).toEqual([20, 21]);
  expect(base.submissions).toBe(1);
});

test('of blocks that no route leads to, those of older tasks are evicted first', async () => {
  const bench = new Bench(4);
  const base = await bench.view('base', [10, 11, 12, 13]);
  const other = await bench.view('other', [20, 21, 22]);
  await base.pass([0, 1, 2, 3]);
  await other.pass([0, 1, 2]);
  bench.log.length = 0;
  await other.pass([0, 1, 2]);
  expect(bench.log).toEqual([]);
  await base.pass([0]);
  expect(bench.log).toEqual([]);
});

test('an upload that fails is told, frees its slot, and works the next time', async () => {
  const bench = new Bench(2);
  const view = await bench.view('a', [10, 11, 12]);
  bench.gates.set('a 2', { promise: Promise.reject(new Error('the disk is gone')) } as unknown as Deferred<void>);
  await expect(view.read(2)).rejects.toThrow('the disk is gone');
  expect(bench.live.size).toBeLessThanOrEqual(2);
  bench.gates.clear();
  expect(await view.pass([2, 1, 0])).toEqual([12, 11, 10]);
});

test('a view that closes while its block uploads stops the upload and frees the slot', async () => {
  const bench = new Bench(3);
  await bench.view('base', [10, 11]);
  const gate = deferred();
  bench.gates.set('patched 0', gate);
  const view = new TestView(bench, 'patched', [99], [16], false);
  const filled = bench.store.fill(view.blocks, undefined, () => undefined);
  view.blocks.close();
  gate.resolve();
  await expect(filled).rejects.toMatchObject({ code: 'not-loaded' });
  expect(bench.live.size).toBe(2);
});

test('a few blocks in two slots, written in turns: each is written back before its slot is reused', async () => {
  const bench = new Bench(2);
  const view = await bench.view('trained', [10, 11, 12, 13], { writes: true });
  for (let step = 1; step <= 3; step++) {
    view.reader.follow([0, 1, 2, 3]);
    for (const source of [0, 1, 2, 3]) await view.write(source, (await view.read(source)) + 20);
    view.reader.end();
  }
  await view.blocks.flush();
  expect(view.values).toEqual([70, 71, 72, 73]);
  expect(await view.pass([0, 1, 2, 3])).toEqual([70, 71, 72, 73]);
  const saves = bench.log.filter((entry) => entry.startsWith('save'));
  await view.blocks.flush();
  expect(bench.log.filter((entry) => entry.startsWith('save'))).toEqual(saves);
});

test.each([
  ['with room for a copy', null],
  ['in two slots', 2],
])('other views keep a shared block as it was when one writes it, %s', async (_, slots) => {
  const bench = new Bench(slots);
  const base = await bench.view('base', [10, 11, 12]);
  const trained = await bench.view('trained', [10, 11, 12], { writes: true });
  const again = await bench.view('again', [10, 11, 12], { writes: true });
  await trained.write(1, 50);
  expect(await base.read(1)).toBe(11);
  trained.reader.end();
  await again.write(1, 60);
  base.reader.end();
  again.reader.end();
  for (const [view, value] of [[base, 11] as const, [trained, 50] as const, [again, 60] as const]) {
    expect(await view.pass([1])).toEqual([value]);
  }
  // Not even a view that opens now sees what was written.
  expect(await (await bench.view('late', [10, 11, 12])).pass([0, 1, 2])).toEqual([10, 11, 12]);
  expect(await trained.pass([0, 1, 2, 1])).toEqual([10, 50, 12, 50]);
  await trained.blocks.flush();
  await again.blocks.flush();
  expect([base.values[1], trained.values[1], again.values[1]]).toEqual([11, 50, 60]);
  if (slots === null) expect(bench.log.filter((entry) => entry === 'copy')).toHaveLength(2);
});

test('a block that only its view uses is written in place', async () => {
  const bench = new Bench(null);
  await bench.view('base', [10, 11]);
  const patched = await bench.view('patched', [10, 99], { writes: true });
  await patched.write(1, 50);
  patched.reader.end();
  expect(bench.live.size).toBe(3);
  const same = await bench.view('same', [10, 99]);
  expect([await patched.read(1), await same.read(1)]).toEqual([50, 99]);
});

test('a write back that fails is told, loses nothing, and is tried again', async () => {
  const bench = new Bench(2);
  const view = await bench.view('trained', [10, 11, 12], { writes: true });
  await view.write(0, 50);
  await view.write(1, 51);
  view.failure = new Error('the disk is full');
  await expect(view.read(2)).rejects.toThrow('the disk is full');
  await expect(view.blocks.flush()).rejects.toThrow('the disk is full');
  expect(view.values).toEqual([10, 11, 12]);
  view.failure = null;
  expect(await view.read(2)).toBe(12);
  expect(await view.pass([0, 1, 2])).toEqual([50, 51, 12]);
  await view.blocks.flush();
  expect(view.values).toEqual([50, 51, 12]);
});

test('a view without a way to write back cannot be written', async () => {
  const view = await new Bench(null).view('base', [10]);
  await expect(view.write(0, 50)).rejects.toThrow('view base cannot be written');
});

test('a GPU that is full when a view opens: the view and the base take turns, and room stays for activations', async () => {
  const bench = new Bench(null);
  const base = await bench.view('base', [10, 11, 12, 13, 14, 15]);
  bench.gpuBytes = 8 * 16;
  const other = await bench.view('other', [20, 21, 22, 23, 24, 25]);
  expect(bench.store.use()).toMatchObject({ blocks: 12, slots: 6 });
  for (let round = 0; round < 2; round++) {
    expect(await base.pass([0, 1, 2, 3, 4, 5])).toEqual([10, 11, 12, 13, 14, 15]);
    expect(await other.pass([0, 1, 2, 3, 4, 5])).toEqual([20, 21, 22, 23, 24, 25]);
  }
  expect(bench.live.size).toBe(6);
});

test('a GPU that becomes full between tasks: blocks that are loaded on demand evict others', async () => {
  const bench = new Bench(4);
  const base = await bench.view('base', [10, 11, 12, 13, 14]);
  bench.gpuBytes = 3 * 16;
  bench.store.limit(null);
  expect(await base.pass([0, 1, 2, 3, 4])).toEqual([10, 11, 12, 13, 14]);
  expect(bench.live.size).toBe(3);
});

test('shrinking writes back what was written before it is evicted', async () => {
  const bench = new Bench(null);
  const view = await bench.view('trained', [10, 11, 12, 13], { writes: true });
  for (const source of [0, 1, 2, 3]) await view.write(source, 50 + source);
  view.reader.end();
  expect(await bench.store.shrink()).toBe(true);
  expect(bench.live.size).toBe(2);
  expect(view.values).toEqual([50, 51, 52, 53]);
  expect(await view.pass([0, 1, 2, 3])).toEqual([50, 51, 52, 53]);
});

test('a block that is written while it is written back is written back again', async () => {
  const bench = new Bench(null);
  const view = await bench.view('trained', [10], { writes: true });
  await view.write(0, 50);
  const gate = deferred();
  bench.gates.set('save 0', gate);
  const flushed = view.blocks.flush();
  await view.write(0, 60);
  gate.resolve();
  await flushed;
  await view.blocks.flush();
  expect(view.values).toEqual([60]);
});
