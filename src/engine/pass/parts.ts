/** @file The parts that every pass over the model works with, and how a pass cuts long launches. */
import type { ModelShape } from '../../model/shape';
import type { Buffers } from '../gpu/buffers';
import type { CommandQueue } from '../gpu/commandQueue';
import type { GpuContext } from '../gpu/device';
import type { KernelChoice } from '../kernels/kernelChoice';
import type { BlockReader } from '../weights/blockReader';
import type { ModelWeights } from '../weights/modelWeights';

/** The parts that a pass over the model works with. */
export interface PassParts {
  readonly context: GpuContext;
  readonly shape: ModelShape;
  readonly buffers: Buffers;
  readonly queue: CommandQueue;
  readonly weights: ModelWeights;
  /** The way over the blocks' weights. */
  readonly blocks: BlockReader;
  readonly choice: KernelChoice;
  /** Tables that other passes have made on the same queue; tables of its own unless given. */
  readonly ropeTables?: RopeTables;
}

/** Tables of cosines and sines, by head size and rotary embedding. */
export type RopeTables = Map<string, { readonly positions: number; readonly table: GPUBuffer }>;

/** Rows of a buffer. */
export interface Rows {
  readonly buffer: GPUBuffer;
  readonly first: number;
  readonly count: number;
}

/** Sequences that go through a block together. */
export interface Sequences {
  readonly rows: number;
  readonly seqLen: number;
}

/** Rough operations per element of a kernel that reads and writes each element once. */
export const touch = 20;
/** An attention score costs more than its multiplications: an exponential, masks, and loads that nothing shares. */
export const scoreCost = 3;

/** Cuts a long launch into multiples of `unit`, so that each piece takes about as long as a submission. */
export function* pieces(
  { queue }: Pick<PassParts, 'queue'>,
  count: number,
  flopsEach: number,
  unit = 128,
): Generator<{ first: number; count: number }> {
  const step = Math.max(unit, Math.floor((2 * queue.launchFlops) / flopsEach / unit) * unit);
  for (let first = 0; first < count; first += step) yield { first, count: Math.min(step, count - first) };
}
