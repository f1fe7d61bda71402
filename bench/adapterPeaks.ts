/** @file What the adapter can do at best: multiply-adds without memory, and a copy of memory. Estimates to compare with. */
import copyCode from '../shaders/bench/copy.wgsl?raw';
import fmaCode from '../shaders/bench/fma.wgsl?raw';
import gridCode from '../shaders/common/grid.wgsl?raw';
import { Buffers } from '../src/engine/gpu/buffers';
import { CommandQueue } from '../src/engine/gpu/commandQueue';
import type { GpuContext } from '../src/engine/gpu/device';
import { defineKernel } from '../src/engine/gpu/kernel';
import { LaunchClock } from '../src/engine/gpu/launchClock';
import { median } from '../src/numerics/statistics';

const copy = defineKernel({
  name: 'copy',
  code: gridCode + copyCode,
  buffers: { x: 'read', y: 'write' },
  params: { count: 'u32' },
  workgroups: ({ count }) => [Math.ceil(count / 64)],
});

const fma = defineKernel({
  name: 'fma',
  code: fmaCode,
  buffers: { y: 'write' },
  params: { invocations: 'u32', steps: 'u32', factor: 'f32' },
  workgroups: ({ invocations }) => [Math.ceil(invocations / 64)],
  flops: ({ invocations, steps }) => 2 * 4 * 8 * steps * invocations,
});

export interface AdapterPeaks {
  readonly gflops: number;
  /** Bytes read and written. */
  readonly gigabytesPerSecond: number;
}

/** Medians of five; both results are checked. */
export async function adapterPeaks(context: GpuContext): Promise<AdapterPeaks> {
  const { software } = context.info;
  const buffers = new Buffers(context);
  const queue = new CommandQueue(context);
  const clock = new LaunchClock(context, { eachLaunch: true });
  const millisecondsOf = async (launch: () => Promise<void>): Promise<number> => {
    const runs: number[] = [];
    for (let run = 0; run < 6; run++) {
      clock.reset();
      await queue.timed(clock, launch);
      runs.push(clock.times()[0]!.milliseconds);
    }
    return median(runs.slice(1));
  };
  try {
    const params = { invocations: software ? 4096 : 2 ** 18, steps: software ? 1000 : 4000, factor: 0.5 };
    const sums = await buffers.allocate(params.invocations * 16, 'sums');
    const fmaMs = await millisecondsOf(() => queue.launch(fma, { y: sums }, params, 0));
    // Each chain ends at b / (1 − ½); invocation 1 has b = (1, 1, 2, 3).
    const second = [...new Float32Array(await queue.read(sums, 16, 16))];
    if (second.join() !== [16, 16, 32, 48].join())
      throw new Error(`fma: expected 16, 16, 32, 48, got ${second.join()}`);

    const bytes = Math.min(context.device.limits.maxStorageBufferBindingSize, software ? 2 ** 25 : 2 ** 28);
    const [x, y] = [await buffers.allocate(bytes, 'from'), await buffers.allocate(bytes, 'to')];
    context.device.queue.writeBuffer(x, bytes - 16, Float32Array.of(1, 2, 3, 4));
    const copyMs = await millisecondsOf(() => queue.launch(copy, { x, y }, { count: bytes / 16 }, 0));
    const last = [...new Float32Array(await queue.read(y, 16, bytes - 16))];
    if (last.join() !== '1,2,3,4') throw new Error(`copy: expected 1, 2, 3, 4 at the end, got ${last.join()}`);
    return { gflops: fma.flops!(params) / fmaMs / 1e6, gigabytesPerSecond: (2 * bytes) / copyMs / 1e6 };
  } finally {
    clock.dispose();
    queue.dispose();
    buffers.dispose();
  }
}
