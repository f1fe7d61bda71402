/**
 * @file A product on made-up numbers, in any tile: what the tuner validates and times.
 *
 * The numbers have the sizes of a real model's (activations around 1, products around 1), so that tolerances mean something.
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

export const kernelOf: KernelOf = (operation, dtype, tile) => {
  switch (operation) {
    case 'linear':
      return linear(dtype, forwardTile(tile));
    case 'swiglu':
      return swiglu(dtype, forwardTile(tile));
    case 'headPartials':
      return headPartials(dtype, forwardTile(tile));
    case 'headGradient':
      return headGradient(dtype, forwardTile(tile));
    case 'linearInputGradient':
      return linearInputGradient(dtype, backTile(tile));
    case 'weightSalience':
      return weightSalience(dtype, backTile(tile));
  }
};

function forwardTile(tile: AnyTileName): TileName {
  if (isForwardTile(tile)) return tile;
  throw new RangeError(`tile ${tile}: the forward products do not exist in it`);
}

function backTile(tile: AnyTileName): BackTileName {
  if (isBackTile(tile)) return tile;
  throw new RangeError(`tile ${tile}: the backward products do not exist in it`);
}

/** What a launch of a product binds and is told. */
export interface MatmulTrial {
  readonly buffers: Readonly<Record<string, GPUBuffer>>;
  params(tile: AnyTileName): Record<string, number>;
  /** The buffer with the results and how many float32 they are; the same for every tile. */
  readonly output: { readonly buffer: GPUBuffer; readonly count: number };
  readonly flops: number;
}

/** Every parameter of an operation's record: the compiler finds one that is missing here. */
type ParamsOf<R extends (...args: never[]) => { readonly params: object }> = Record<
  keyof ReturnType<R>['params'],
  number
>;

type Fill = 'weight' | 'values' | 'targets' | 'log-sum-exp' | 'results';

/**
 * Takes the buffers of a product and fills them. With `gather` the gradient of 'weightSalience' itself is the result;
 * without, it is reduced as it is in use.
 */
export async function makeTrial(
  context: GpuContext,
  buffers: Buffers,
  { operation, dtype, rows, inner, cols }: Matmul,
  gather: boolean,
): Promise<MatmulTrial> {
  const made: Record<string, GPUBuffer> = {};
  const make = async (name: string, count: number, fill: Fill): Promise<void> => {
    const bytes = fill === 'weight' ? count * bytesPerElement[dtype] : count * 4;
    const buffer = await buffers.acquire(bytes, `tuning: ${name}`);
    if (fill !== 'results') fillBuffer(context, buffer, bytes, pattern(fill, dtype, inner, cols));
    made[name] = buffer;
  };
  const result = (name: string, count: number, params: (tile: AnyTileName) => Record<string, number>): MatmulTrial => ({
    buffers: made,
    params,
    output: { buffer: made[name]!, count },
    flops: 2 * rows * inner * cols,
  });

  await make('weight', cols * inner, 'weight');
  switch (operation) {
    case 'linear':
      await make('x', rows * inner, 'values');
      await make('y', rows * cols, 'results');
      return result(
        'y',
        rows * cols,
        (): ParamsOf<typeof linear> => ({
          rows,
          inner,
          cols,
          xFirst: 0,
          yFirst: 0,
          accumulate: 0,
        }),
      );
    case 'swiglu': {
      const ffn = cols / 2;
      await make('x', rows * inner, 'values');
      await make('y', rows * ffn, 'results');
      return result('y', rows * ffn, (): ParamsOf<typeof swiglu> => ({ rows, inner, ffn, xFirst: 0, yFirst: 0 }));
    }
    case 'headPartials': {
      const chunkCols = chunkColumns(cols);
      const stride = Math.ceil(cols / chunkCols);
      await make('x', rows * inner, 'values');
      await make('targets', rows, 'targets');
      await make('partials', rows * stride * 4, 'results');
      const firsts = { xFirst: 0, targetFirst: 0, vocabFirst: 0, chunkFirst: 0 };
      return result(
        'partials',
        rows * stride * 4,
        (): ParamsOf<typeof headPartials> => ({ rows, inner, cols, ...firsts, chunkCols, stride }),
      );
    }
    case 'headGradient': {
      const stride = Math.ceil(cols / 4) * 4;
      await make('x', rows * inner, 'values');
      await make('targets', rows, 'targets');
      await make('lse', rows, 'log-sum-exp');
      await make('dNll', rows, 'values');
      await make('dLogits', rows * stride, 'results');
      return result(
        'dLogits',
        rows * stride,
        (): ParamsOf<typeof headGradient> => ({
          rows,
          first: 0,
          inner,
          cols,
          stride,
          weightFirst: 0,
          vocabFirst: 0,
        }),
      );
    }
    case 'linearInputGradient': {
      const stride = Math.ceil(cols / 4) * 4;
      await make('dY', rows * stride, 'values');
      await make('dX', rows * inner, 'results');
      return result(
        'dX',
        rows * inner,
        (): ParamsOf<typeof linearInputGradient> => ({
          rows,
          first: 0,
          cols,
          stride,
          weightFirst: 0,
          inner,
          accumulate: 0,
        }),
      );
    }
    case 'weightSalience': {
      const sizes = { rows, inner, cols, stride: cols, yFirst: 0, weightFirst: 0, tileFirst: 0, carryIn: 0 };
      const most = salienceTiles('any', cols, inner).partials;
      await make('x', rows * inner, 'values');
      await make('dY', rows * cols, 'values');
      await make('carry', gather ? cols * inner : 4, 'results');
      await make('partials', 2 * most, 'results');
      return result(
        gather ? 'carry' : 'partials',
        gather ? cols * inner : 2 * most,
        (tile): ParamsOf<typeof weightSalience> => ({
          ...sizes,
          tiles: salienceTiles(backTile(tile), cols, inner).tileRows,
          carryOut: gather ? 1 : 0,
        }),
      );
    }
  }
}

/** Elements of the pattern that fills a buffer: no power of two, so that rows of a matrix differ. */
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
