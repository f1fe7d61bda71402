/**
 * @file The tiles of the products with a weight, in GFLOP/s beside what the adapter can do at best.
 *
 * The tuner measures: each tile is validated before it is timed. Ratios are between numbers of one run.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Buffers } from '../src/engine/gpu/buffers';
import { CommandQueue } from '../src/engine/gpu/commandQueue';
import type { GpuContext } from '../src/engine/gpu/device';
import { KernelChoice } from '../src/engine/kernels/kernelChoice';
import type { Matmul, Operation } from '../src/engine/kernels/matmulClasses';
import { openSubgroupDevice, openTestDevice } from '../src/engine/testing/harness';
import { tuneMatmul } from '../src/engine/tuning/tuner';
import { type AdapterPeaks, adapterPeaks } from './adapterPeaks';
import { describeAdapter } from './harness';

let context: GpuContext;
let withSubgroups: GpuContext | null;
let peaks: AdapterPeaks;
beforeAll(async () => {
  context = await openTestDevice();
  withSubgroups = context.info.features.includes('subgroups') ? null : await openSubgroupDevice();
  peaks = await adapterPeaks(context);
  console.log(
    `${describeAdapter(context)}; multiply-adds ${peaks.gflops.toFixed(1)} GFLOP/s, copy ${peaks.gigabytesPerSecond.toFixed(1)} GB/s`,
  );
});
afterAll(() => {
  context.device.destroy();
  withSubgroups?.device.destroy();
});

/** Weights [cols, inner] of the demo on a software adapter, of a 1B model where there is a GPU; and rows of activations. */
function shapes(): { weights: [cols: number, inner: number][]; rows: number[] } {
  return context.info.software
    ? {
        weights: [
          [704, 128],
          [128, 352],
        ],
        rows: [128, 1024],
      }
    : {
        weights: [
          [3072, 2048],
          [11264, 2048],
          [2048, 5632],
        ],
        rows: [128, 512, 2048],
      };
}

const cell = (text: string): string => text.padStart(11);

async function measure(on: GpuContext, matmul: Matmul) {
  const buffers = new Buffers(on);
  const queue = new CommandQueue(on);
  const choice = new KernelChoice(on.info, { float16Matmuls: true });
  try {
    return await tuneMatmul({ context: on, buffers, queue, choice }, matmul, { patience: Number.POSITIVE_INFINITY });
  } finally {
    queue.dispose();
    buffers.dispose();
  }
}

test.each<Operation>(['linear', 'swiglu', 'headPartials', 'linearInputGradient', 'weightSalience'])(
  '%s',
  async (operation) => {
    const { weights, rows: counts } = shapes();
    let header = '';
    for (const [cols, inner] of weights) {
      for (const rows of counts) {
        const matmul: Matmul = { operation, dtype: 'F16', rows, inner, cols, byFour: true };
        const found = await measure(context, matmul);
        const more = withSubgroups === null ? null : await measure(withSubgroups, matmul);
        const trials = [...found.trials, ...(more?.trials.filter(({ tile }) => tile === 'subgroup') ?? [])];
        expect(trials.filter(({ refused }) => refused !== null)).toEqual([]);
        const { sizes } = found;
        const gflops = (ms: number): number => (2 * sizes.rows * sizes.inner * sizes.cols) / ms / 1e6;
        const names = trials.map(({ tile }) => cell(tile)).join('');
        if (names !== header) console.log(`${operation}, F16: ${'rows × [cols, inner]'.padEnd(24)}${names}`);
        header = names;
        const rates = trials.map(({ milliseconds }) => gflops(milliseconds!));
        const best = Math.max(...rates);
        const fallback = gflops(trials.find(({ tile }) => tile === found.fallback)!.milliseconds!);
        console.log(
          `${`${sizes.rows} × [${sizes.cols}, ${sizes.inner}]`.padEnd(24 + operation.length + 7)}` +
            rates.map((rate) => cell(rate.toPrecision(3))).join('') +
            ` | best ${((100 * best) / peaks.gflops).toFixed(0)} % of multiply-adds, ${(best / fallback).toFixed(2)} of the static ${found.fallback}`,
        );
      }
    }
  },
);
