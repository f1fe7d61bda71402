/** @file The buffers and settings of one block's backward pass, and the steps that attention and MLP share. */
import type { BiasRole, LayerRole, LayerShape } from '../../model/shape';
import { rmsnormBackward } from '../kernels/rmsnormBackward';
import type { Projection } from '../weights/gpuWeights';
import type { GradientSink, NormRole } from './gradientSink';
import type { LowRankRows } from './lowRankRows';
import { type Sequences, touch } from './parts';
import { projectBackward } from './projection';
import type { EngineParts } from './runtime';

/** The backward pass of one block for one batch. */
export interface BlockStep {
  readonly parts: EngineParts;
  readonly layer: LayerShape;
  readonly sequences: Sequences;
  /** [rows, hidden]: the gradient of the stream after the sub-block, then, in place, of the stream before it. */
  readonly dHidden: GPUBuffer;
  readonly sink: GradientSink;
  readonly lowRank: LowRankRows;
  /** Nothing asks for the gradient of the block's input: its first sub-block leaves dHidden as it is. */
  readonly inputIsLast: boolean;
}

/** A norm's place in the pass: it read x [rows, hidden] and its output has the gradient dY. */
export interface NormPlace {
  readonly role: NormRole;
  readonly weight: GPUBuffer;
  readonly x: GPUBuffer;
  readonly dY: GPUBuffer;
}

/** dX (+)= the gradient of the norm's input x. The sink gets the gradient of the norm's weight. */
export async function normBackward(
  { parts, sequences: { rows }, sink }: Pick<BlockStep, 'parts' | 'sequences' | 'sink'>,
  { role, weight, x, dY }: NormPlace,
  dX: GPUBuffer,
  accumulate: boolean,
): Promise<void> {
  const { buffers, queue, shape } = parts;
  const { hidden, normEps, normOffset } = shape;
  const rstd = await buffers.acquire(rows * 4, 'inverse root mean squares');
  await queue.launch(
    rmsnormBackward(normOffset),
    { weight, x, dY, dX, rstd },
    { rows, hidden, eps: normEps, accumulate: accumulate ? 1 : 0 },
    rows * hidden * touch,
  );
  await sink.norm(role, { weight, x, dY, rstd, rows });
  buffers.release(rstd);
}

/**
 * The gradient [rows, hidden] of a sub-block's output: dHidden itself, or an acquired buffer if the output is normalized. Then
 * `recompute` writes the output again: that costs a matmul, but no memory of the tape.
 */
export async function outputGradient(
  step: BlockStep,
  role: 'postAttnNorm' | 'postMlpNorm',
  weight: GPUBuffer | null,
  recompute: (out: GPUBuffer) => Promise<void>,
): Promise<GPUBuffer> {
  const { dHidden, parts, sequences } = step;
  if (weight === null) return dHidden;
  const bytes = sequences.rows * parts.shape.hidden * 4;
  const out = await parts.buffers.acquire(bytes, 'output before its norm');
  await recompute(out);
  const dOut = await parts.buffers.acquire(bytes, 'gradient of an output');
  await normBackward(step, { role, weight, x: out, dY: dHidden }, dOut, false);
  parts.buffers.release(out);
  return dOut;
}

/** The input of a sub-block: the residual before it, and x, the rows that its projections read. */
export interface SubBlockInput {
  readonly role: 'attnNorm' | 'mlpNorm';
  readonly norm: GPUBuffer | null;
  readonly input: GPUBuffer;
  readonly x: GPUBuffer;
}

/** dHidden += the gradient of the sub-block's input, from dY behind its first projection. Overwrites x. */
export async function inputGradient(
  step: BlockStep,
  projection: Projection,
  dY: GPUBuffer,
  { role, norm, input, x }: SubBlockInput,
): Promise<void> {
  const { dHidden, inputIsLast, lowRank, parts, sequences } = step;
  if (inputIsLast) return;
  if (norm === null) {
    await projectBackward(parts, projection, { dY, dX: dHidden }, sequences.rows, true, lowRank);
    return;
  }
  // Nothing reads the normalized rows any more: their gradient takes their buffer.
  await projectBackward(parts, projection, { dY, dX: x }, sequences.rows, false, lowRank);
  await normBackward(step, { role, weight: norm, x: input, dY: x }, dHidden, true);
}

/** The bias of each projection, for those layers that have it. */
const biasOf: Partial<Record<LayerRole, BiasRole>> = {
  qProj: 'qBias',
  kProj: 'kBias',
  vProj: 'vBias',
  oProj: 'oBias',
  gateProj: 'gateBias',
  upProj: 'upBias',
  downProj: 'downBias',
};

/** Hands the sink the gradients of a projection, role by role: `roles` share its matrix, each with so many columns of dY. */
export async function handOver(
  { layer, lowRank, sequences: { rows }, sink }: BlockStep,
  { matrix }: Projection,
  roles: readonly (readonly [role: LayerRole, cols: number])[],
  { x, dY }: Record<'x' | 'dY', GPUBuffer>,
): Promise<void> {
  let first = 0;
  for (const [role, cols] of roles) {
    const place = { cols, dY, stride: matrix.rows, yFirst: first, rows };
    await sink.weight(role, { ...place, matrix, weightFirst: first, x, lowRank });
    const bias = biasOf[role];
    if (bias !== undefined && layer.biases?.includes(bias)) await sink.bias?.(bias, place);
    first += cols;
  }
}
