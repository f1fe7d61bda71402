/** @file Gradients of a block's vectors, from the factors that the backward pass hands out: norms, norms of heads, biases. */
import { addLines } from '../kernels/addLines';
import { headNormGradient as headNormParts } from '../kernels/headNormGradient';
import { rmsnormSalience, summedSalience } from '../kernels/rmsnormSalience';
import type { BiasFactors, HeadNormFactors, NormFactors } from './gradientSink';
import { touch } from './parts';
import type { EngineParts } from './runtime';
import type { Carrying } from './weightGradient';

/** Rows that one invocation sums: a vector has few elements, so the rows must be shared out. */
const headNormRows = 16;
const biasRows = 64;

/** Where the gradient of a norm's weight goes. */
export interface NormOutput extends Carrying {
  /** The gradient so far, if carryIn is 1, and with this batch, if carryOut is 1; else of any size. */
  readonly carry: GPUBuffer;
  /** Pairs (|weight · g|, g²) by element, if carryOut is 0; else of any size. */
  readonly sums: GPUBuffer;
}

export async function normGradient(
  { queue, shape: { hidden } }: EngineParts,
  { weight, x, dY, rstd, rows }: NormFactors,
  { carry, sums, ...carrying }: NormOutput,
): Promise<void> {
  const params = { rows, hidden, weightFirst: 0, sumFirst: 0, ...carrying };
  await queue.launch(rmsnormSalience, { weight, x, dY, rstd, carry, sums }, params, rows * hidden * touch);
}

export async function headNormGradient(
  { buffers, queue }: EngineParts,
  { weight, weightFirst, x, dY, rstd, rows, headDim, heads, ...place }: HeadNormFactors,
  { carry, sums, ...carrying }: NormOutput,
): Promise<void> {
  const parts = Math.ceil(rows / headNormRows);
  const partials = await buffers.acquire(parts * headDim * 4, 'parts of a gradient');
  await queue.launch(
    headNormParts,
    { x, dY, rstd, partials },
    { rows, partRows: headNormRows, heads, headDim, ...place },
    rows * heads * headDim * touch,
  );
  await queue.launch(
    summedSalience,
    { weight, x: partials, dY: partials, rstd: partials, carry, sums },
    { rows: parts, hidden: headDim, weightFirst, sumFirst: 0, ...carrying },
    parts * headDim * touch,
  );
  buffers.release(partials);
}

/** gradient [cols] (+)= the gradient of a bias. */
export async function biasGradient(
  { buffers, queue }: EngineParts,
  { dY, stride, yFirst, cols, rows }: BiasFactors,
  gradient: GPUBuffer,
  accumulate: boolean,
): Promise<void> {
  const parts = Math.ceil(rows / biasRows);
  const partials = await buffers.acquire(parts * cols * 4, 'parts of a gradient');
  const adding = { count: rows, stride, first: yFirst, length: cols, part: biasRows, accumulate: 0 };
  await queue.launch(addLines, { lines: dY, y: partials }, adding, rows * cols * touch);
  const joining = { count: parts, stride: cols, first: 0, length: cols, part: parts, accumulate: accumulate ? 1 : 0 };
  await queue.launch(addLines, { lines: partials, y: gradient }, joining, parts * cols * touch);
  buffers.release(partials);
}
