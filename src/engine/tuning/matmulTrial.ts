/**
 * @file A matmul on made-up numbers, in any tile, for the tuner to validate and time.
 *
 * The numbers are as large as those of a real model (activations around 1, results around 1), so that tolerances mean something.
 */
import { bytesPerElement, type StoredDtype } from '../../model/weights';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../../numerics/float16';
import { linear as linearReference } from '../../numerics/linear';
import { createRandom } from '../../numerics/random';
import type { Buffers } from '../gpu/buffers';
import type { GpuContext } from '../gpu/device';
import type { Kernel } from '../gpu/kernel';
import { type AnyTileName, type BackTileName, isBackTile, isForwardTile } from '../kernels/backTile';
import { headGradient } from '../kernels/headGradient';
import { chunkColumns, headPartials } from '../kernels/headPartials';
import { linear } from '../kernels/linear';
import { linearInputGradient } from '../kernels/linearInputGradient';
import type { Matmul, Operation } from '../kernels/matmulClasses';
import { swiglu } from '../kernels/swiglu';
import type { TileName } from '../kernels/tile';
import { salienceTiles, weightSalience } from '../kernels/weightSalience';

/** Makes the record of an operation in a tile. @throws where the operation lacks the tile */
export type KernelOf = (operation: Operation, dtype: StoredDtype, tile: AnyTileName) => Kernel;

const records: Readonly<Record<Operation, (dtype: StoredDtype, tile: AnyTileName) => Kernel>> = {
  linear: (dtype, tile) => linear(dtype, forwardTile(tile)),
  swiglu: (dtype, tile) => swiglu(dtype, forwardTile(tile)),
  headPartials: (dtype, tile) => headPartials(dtype, forwardTile(tile)),
  headGradient: (dtype, tile) => headGradient(dtype, forwardTile(tile)),
  linearInputGradient: (dtype, tile) => linearInputGradient(dtype, backTile(tile)),
  weightSalience: (dtype, tile) => weightSalience(dtype, backTile(tile)),
};

export const kernelOf: KernelOf = (operation, dtype, tile) => records[operation](dtype, tile);

function forwardTile(tile: AnyTileName): TileName {
  if (isForwardTile(tile)) return tile;
  throw new RangeError(`tile ${tile}: forward matmuls do not exist in it`);
}

function backTile(tile: AnyTileName): BackTileName {
  if (isBackTile(tile)) return tile;
  throw new RangeError(`tile ${tile}: backward matmuls do not exist in it`);
}

/** The buffers and parameters of a matmul's launch. */
export interface MatmulTrial {
  readonly buffers: Readonly<Record<string, GPUBuffer>>;
  params(tile: AnyTileName): Readonly<Record<string, number>>;
  /** The buffer with the results and how many float32 they are; the same for every tile. */
  readonly output: { readonly buffer: GPUBuffer; readonly count: number };
  readonly flops: number;
}

type Fill = 'weight' | 'values' | 'targets' | 'log-sum-exp' | 'results';

/** What a launch binds beside the weight, with the number of elements, and its parameters by tile. */
interface Launch<P extends string = string> {
  readonly inputs: Readonly<Record<string, readonly [count: number, fill: Fill]>>;
  /** The buffer with the results. */
  readonly output: readonly [name: string, count: number];
  params(tile: AnyTileName): Readonly<Record<P, number>>;
}

/** Every parameter of a record: the compiler finds one that is missing here. */
type LaunchOf<R extends (...args: never[]) => { readonly params: object }> = Launch<
  Extract<keyof ReturnType<R>['params'], string>
>;

/** A launch of each operation. With `gather`, the result of 'weightSalience' is the gradient itself, not its sums. */
const launches = {
  linear: ({ rows, inner, cols }): LaunchOf<typeof linear> => ({
    inputs: { x: [rows * inner, 'values'] },
    output: ['y', rows * cols],
    params: () => ({ rows, inner, cols, xFirst: 0, yFirst: 0, accumulate: 0 }),
  }),
  swiglu: ({ rows, inner, cols }): LaunchOf<typeof swiglu> => ({
    inputs: { x: [rows * inner, 'values'] },
    output: ['y', (rows * cols) / 2],
    params: () => ({ rows, inner, ffn: cols / 2, xFirst: 0, yFirst: 0 }),
  }),
  headPartials({ rows, inner, cols }): LaunchOf<typeof headPartials> {
    const chunkCols = chunkColumns(cols);
    const stride = Math.ceil(cols / chunkCols);
    const firsts = { xFirst: 0, targetFirst: 0, vocabFirst: 0, chunkFirst: 0 };
    return {
      inputs: { x: [rows * inner, 'values'], targets: [rows, 'targets'] },
      output: ['partials', rows * stride * 4],
      params: () => ({ rows, inner, cols, ...firsts, chunkCols, stride }),
    };
  },
  headGradient({ rows, inner, cols }): LaunchOf<typeof headGradient> {
    const stride = Math.ceil(cols / 4) * 4;
    const losses = { targets: [rows, 'targets'], lse: [rows, 'log-sum-exp'], dNll: [rows, 'values'] } as const;
    return {
      inputs: { x: [rows * inner, 'values'], ...losses },
      output: ['dLogits', rows * stride],
      params: () => ({ rows, first: 0, inner, cols, stride, weightFirst: 0, vocabFirst: 0 }),
    };
  },
  linearInputGradient({ rows, inner, cols }): LaunchOf<typeof linearInputGradient> {
    const stride = Math.ceil(cols / 4) * 4;
    return {
      inputs: { dY: [rows * stride, 'values'] },
      output: ['dX', rows * inner],
      params: () => ({ rows, first: 0, cols, stride, weightFirst: 0, inner, accumulate: 0 }),
    };
  },
  weightSalience({ rows, inner, cols }, gather): LaunchOf<typeof weightSalience> {
    const sums = 2 * salienceTiles('any', cols, inner).partials;
    const sizes = { rows, inner, cols, stride: cols, yFirst: 0, weightFirst: 0, tileFirst: 0, carryIn: 0 };
    const matrices = { x: [rows * inner, 'values'], dY: [rows * cols, 'values'] } as const;
    // The kernel binds both results, and writes one of them.
    return {
      inputs: gather ? { ...matrices, partials: [sums, 'results'] } : { ...matrices, carry: [4, 'results'] },
      output: gather ? ['carry', cols * inner] : ['partials', sums],
      params: (tile) => {
        const { tileRows } = salienceTiles(backTile(tile), cols, inner);
        return { ...sizes, tiles: tileRows, carryOut: gather ? 1 : 0 };
      },
    };
  },
} satisfies Record<Operation, (matmul: Matmul, gather: boolean) => Launch>;

/**
 * Acquires the buffers of a matmul and fills them. With `gather`, the result of 'weightSalience' is the gradient itself;
 * without, the kernel reduces it as it does in use.
 */
export async function makeTrial(
  context: GpuContext,
  buffers: Buffers,
  matmul: Matmul,
  gather: boolean,
): Promise<MatmulTrial> {
  const { operation, dtype, rows, inner, cols } = matmul;
  const { inputs, output, params }: Launch = launches[operation](matmul, gather);
  const [outputName, count] = output;
  const all: Launch['inputs'] = { weight: [cols * inner, 'weight'], ...inputs, [outputName]: [count, 'results'] };
  const made: Record<string, GPUBuffer> = {};
  for (const [name, [elements, fill]] of Object.entries(all)) {
    const bytes = fill === 'weight' ? elements * bytesPerElement[dtype] : elements * 4;
    const buffer = await buffers.acquire(bytes, `tuning: ${name}`);
    if (fill !== 'results') fillBuffer(context, buffer, bytes, pattern(fill, dtype, inner, cols));
    made[name] = buffer;
  }
  return { buffers: made, params, output: { buffer: made[outputName]!, count }, flops: 2 * rows * inner * cols };
}

/** Elements of the pattern that fills a buffer: not a power of two, so that rows of a matrix differ. */
const period = 4 * 16_383;

/** Numbers of a fill as bytes, a multiple of four of them. */
function pattern(fill: Fill, dtype: StoredDtype, inner: number, cols: number): Uint8Array<ArrayBuffer> {
  const random = createRandom(1);
  if (fill === 'targets') {
    return new Uint8Array(Uint32Array.from({ length: period }, () => Math.floor(random() * cols)).buffer);
  }
  // What a row of some thousand logits sums to: larger exponentials than a loss has would show rounding, not mistakes.
  if (fill === 'log-sum-exp') return new Uint8Array(new Float32Array(period).fill(7).buffer);
  const values = madeUpValues(fill === 'weight' ? 'weight' : 'values', inner);
  if (fill === 'values' || dtype === 'F32') return new Uint8Array(values.buffer);
  return new Uint8Array((dtype === 'F16' ? f32ToF16(values) : f32ToBf16(values)).buffer);
}

/** The numbers that repeat in a buffer: uniform with variance 1, and for the weights 1 / inner. */
function madeUpValues(fill: 'weight' | 'values', inner: number): Float32Array<ArrayBuffer> {
  const random = createRandom(fill === 'weight' ? 2 : 1);
  const spread = Math.sqrt(12 / (fill === 'weight' ? inner : 1));
  return Float32Array.from({ length: period }, () => (random() - 0.5) * spread);
}

/** Element [row, col] of what a trial of 'linear' ought to give, in float64. */
export function expectedLinear({ dtype, inner }: Matmul, row: number, col: number): number {
  const rowOf = (values: Float32Array, index: number): Float32Array =>
    Float32Array.from({ length: inner }, (_, k) => values[(index * inner + k) % period]!);
  const weight = madeUpValues('weight', inner);
  const kept = dtype === 'F32' ? weight : dtype === 'F16' ? f16ToF32(f32ToF16(weight)) : bf16ToF32(f32ToBf16(weight));
  return linearReference(rowOf(madeUpValues('values', inner), row), rowOf(kept, col), inner)[0]!;
}

function fillBuffer({ device }: GpuContext, buffer: GPUBuffer, bytes: number, by: Uint8Array<ArrayBuffer>): void {
  const end = Math.ceil(bytes / 4) * 4;
  for (let at = 0; at < end; at += by.byteLength) {
    device.queue.writeBuffer(buffer, at, by, 0, Math.min(by.byteLength, end - at));
  }
}
