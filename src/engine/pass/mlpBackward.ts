/** @file The backward pass of a gated MLP. */
import { gatedMlp } from '../kernels/gatedMlp';
import type { MlpWeights } from '../weights/gpuWeights';
import { type BlockStep, handOver, inputGradient, outputGradient } from './blockStep';
import { touch } from './parts';
import { project, projectBackward } from './projection';
import { activatedOf, type Tape } from './tape';

/** dHidden += the gradient through norm, gate, up and down, and a norm of the output. Overwrites the tape. */
export async function mlpBackward(
  step: BlockStep,
  weights: MlpWeights,
  { input, x, gateUp }: NonNullable<Tape['mlp']>,
): Promise<void> {
  const { dHidden, layer, lowRank, parts, sequences } = step;
  const { buffers, queue, shape } = parts;
  const { rows } = sequences;
  const { ffn } = layer;
  const dOut = await outputGradient(step, 'postMlpNorm', weights.postNorm, async (out) => {
    const activated = await activatedOf(parts, layer, gateUp, rows);
    await project(parts, weights.down, activated, { buffer: out, first: 0, count: rows });
    buffers.release(activated);
  });
  // y gets the gradient of the activations; the kernel leaves the activations there, and the gradient of gate and up in gateUp.
  const y = await buffers.acquire(rows * ffn * 4, 'mlp');
  await projectBackward(parts, weights.down, { dY: dOut, dX: y }, rows, false, lowRank);
  await queue.launch(gatedMlp(layer).backward, { gateUp, y }, { rows, ffn }, rows * ffn * touch);
  await handOver(step, weights.down, [['downProj', shape.hidden]], { x: y, dY: dOut });
  buffers.release(y);
  if (dOut !== dHidden) buffers.release(dOut);

  const roles = [
    ['gateProj', ffn],
    ['upProj', ffn],
  ] as const;
  await handOver(step, weights.gateUp, roles, { x, dY: gateUp });
  await inputGradient(step, weights.gateUp, gateUp, { role: 'mlpNorm', norm: weights.norm, input, x });
}
