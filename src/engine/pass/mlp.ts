/** @file The steps of a gated MLP on the GPU. */
import type { LayerShape } from '../../model/shape';
import { gatedMlp } from '../kernels/gatedMlp';
import type { MlpWeights } from '../weights/gpuWeights';
import { releaseMerged, withMerged } from './mergedMatrix';
import { addOutput } from './norms';
import { type PassParts, pieces, type Rows, touch } from './parts';
import { inOneRow, project } from './projection';

/**
 * y [rows, ffn] = activation(gate) ⊙ up of x. One kernel computes all of it, with two exceptions: another kernel reads the
 * weights faster for a single row, and biases of gate or up, and adapters that are not merged, add to them before the activation.
 */
export async function activate(
  parts: PassParts,
  layer: LayerShape,
  weights: MlpWeights,
  x: GPUBuffer,
  y: GPUBuffer,
  rows: number,
): Promise<void> {
  const { ffn } = layer;
  const { inner, rows: cols } = weights.gateUp.matrix;
  const used = await withMerged(parts, weights.gateUp, rows, (type) =>
    parts.choice.tile('swiglu', { dtype: type, rows, inner, cols }),
  );
  if (inOneRow(parts, rows) || used.bias !== null || (used.adapters ?? []).length > 0) {
    const gateUp = await projectGateUp(parts, { gateUp: used }, x, rows);
    await gate(parts, layer, gateUp, y, rows);
    parts.buffers.release(gateUp);
    releaseMerged(parts, weights.gateUp, used);
    return;
  }
  const { buffer: weight, dtype } = used.matrix;
  const { fused } = gatedMlp(layer);
  for (const { first, count } of pieces(parts, rows, 4 * inner * ffn)) {
    const tile = parts.choice.tile('swiglu', { dtype, rows: count, inner, cols: 2 * ffn });
    const params = { rows: count, inner, ffn, xFirst: first, yFirst: first };
    await parts.queue.launch(fused(dtype, tile), { weight, x, y }, params, count * 4 * inner * ffn);
  }
  releaseMerged(parts, weights.gateUp, used);
}

/** An acquired buffer [rows, 2·ffn] with gate and up of x. */
export async function projectGateUp(
  parts: PassParts,
  { gateUp: projection }: Pick<MlpWeights, 'gateUp'>,
  x: GPUBuffer,
  rows: number,
): Promise<GPUBuffer> {
  const gateUp = await parts.buffers.acquire(rows * projection.matrix.rows * 4, 'gate and up');
  await project(parts, projection, x, { buffer: gateUp, first: 0, count: rows });
  return gateUp;
}

/** y [rows, ffn] = activation(gate) ⊙ up, of projections [rows, 2·ffn]. */
export async function gate(
  { queue }: PassParts,
  layer: LayerShape,
  gateUp: GPUBuffer,
  y: GPUBuffer,
  rows: number,
): Promise<void> {
  const { ffn } = layer;
  await queue.launch(gatedMlp(layer).gated, { gateUp, y }, { rows, ffn }, rows * ffn * touch);
}

/** hidden += downProj(activated), normalized first if the layer does so. */
export async function mlpOutput(
  parts: PassParts,
  { down, postNorm }: MlpWeights,
  activated: GPUBuffer,
  hidden: Rows,
): Promise<void> {
  await addOutput(parts, postNorm, hidden, (y, accumulate) => project(parts, down, activated, y, accumulate));
}
