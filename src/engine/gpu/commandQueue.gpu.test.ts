import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestDevice } from '../testing/harness';
import { Buffers } from './buffers';
import { CommandQueue } from './commandQueue';
import type { GpuContext } from './device';
import { defineKernel } from './kernel';

/** Adds `amount` to every element. */
const add = defineKernel({
  name: 'add',
  code: `
    struct Params { amount: u32, }
    @group(0) @binding(0) var<storage, read_write> x: array<u32>;
    @group(1) @binding(0) var<uniform> params: Params;
    @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] += params.amount; }
  `,
  buffers: { x: 'write' },
  params: { amount: 'u32' },
  workgroups: () => [4],
});

let context: GpuContext;
let buffers: Buffers;
let queue: CommandQueue;
beforeEach(async () => {
  context = await openTestDevice();
  buffers = new Buffers(context);
  queue = new CommandQueue(context);
});
afterEach(() => {
  queue.dispose();
  buffers.dispose();
  context.device.destroy();
});

test('launches run in order, each with its own parameters, over more than one submission', async () => {
  const x = await buffers.allocate(16, 'x');
  for (let amount = 1; amount <= 600; amount++) await queue.launch(add, { x }, { amount }, 0);
  expect([...new Uint32Array(await queue.read(x, 16))]).toEqual(Array(4).fill((600 * 601) / 2));
});

test('a copy between launches sees what came before and not what comes after', async () => {
  const x = await buffers.allocate(16, 'x');
  const y = await buffers.allocate(16, 'y');
  await queue.launch(add, { x }, { amount: 5 }, 0);
  queue.copy(x, 0, y, 4, 8);
  await queue.launch(add, { x }, { amount: 2 }, 0);
  expect([...new Uint32Array(await queue.read(y, 16))]).toEqual([0, 5, 5, 0]);
  expect([...new Uint32Array(await queue.read(x, 4, 12))]).toEqual([7]);
});

test('a write comes behind the launches so far', async () => {
  const x = await buffers.allocate(16, 'x');
  const y = await buffers.allocate(16, 'y');
  await queue.launch(add, { x }, { amount: 5 }, 0);
  queue.copy(x, 0, y, 0, 16);
  await queue.write(x, Uint32Array.of(100, 0, 0, 0));
  await queue.launch(add, { x }, { amount: 1 }, 0);
  expect([...new Uint32Array(await queue.read(y, 16))]).toEqual([5, 5, 5, 5]);
  expect([...new Uint32Array(await queue.read(x, 16))]).toEqual([101, 1, 1, 1]);
});

test('a fired signal stops the next launch, and the next task starts clean', async () => {
  const x = await buffers.allocate(16, 'x');
  const controller = new AbortController();
  queue.begin(controller.signal);
  await queue.launch(add, { x }, { amount: 1 }, 0);
  controller.abort();
  await expect(queue.launch(add, { x }, { amount: 1 }, 0)).rejects.toMatchObject({ code: 'aborted' });
  queue.begin(undefined);
  await queue.launch(add, { x }, { amount: 10 }, 0);
  expect([...new Uint32Array(await queue.read(x, 4))]).toEqual([10]);
});

test('WGSL that does not compile says where', async () => {
  const x = await buffers.allocate(16, 'x');
  const broken = { ...add, name: 'broken', code: add.code.replace('+=', '+') };
  await expect(queue.launch(broken, { x }, { amount: 1 }, 0)).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringMatching(/^broken did not compile on '.*': line 5:\d+: /),
  });
});

test('a submission that the device refuses is an internal error, not silence', async () => {
  const x = await buffers.allocate(16, 'x');
  x.destroy();
  await queue.launch(add, { x }, { amount: 1 }, 0);
  await expect(queue.finish()).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('destroyed'),
  });
});

test('a lost device rejects with device-lost, also later, and a new device works', async () => {
  const x = await buffers.allocate(16, 'x');
  await queue.launch(add, { x }, { amount: 1 }, 0);
  context.device.destroy();
  expect(await context.lost).toMatchObject({ code: 'device-lost' });
  await expect(queue.finish()).rejects.toMatchObject({ code: 'device-lost' });
  await expect(buffers.allocate(16, 'y')).rejects.toMatchObject({ code: 'device-lost' });

  const next = await openTestDevice();
  const again = new CommandQueue(next);
  const fresh = new Buffers(next);
  const y = await fresh.allocate(16, 'y');
  await again.launch(add, { x: y }, { amount: 3 }, 0);
  expect([...new Uint32Array(await again.read(y, 4))]).toEqual([3]);
  again.dispose();
  fresh.dispose();
  next.device.destroy();
});

test('the measured rate follows what launches cost', async () => {
  const x = await buffers.allocate(16, 'x');
  const before = queue.rate;
  for (let i = 0; i < 20; i++) {
    await queue.launch(add, { x }, { amount: 1 }, 1e12); // says it is huge, and is quick
  }
  await queue.finish();
  expect(queue.rate).toBeGreaterThan(before * 10);
});
