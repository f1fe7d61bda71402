/** @file The final states of a view whose predictions a training follows, for all batches of a pass. */
import type { ModelShape } from '../../model/shape';
import type { EngineParts } from './runtime';
import { embedBatch } from './runtime';
import type { Batch } from './sequences';
import { finalNorm } from './vocabulary';

/** An open view that lends its weights to another view's task. */
export interface Teacher {
  readonly shape: Pick<ModelShape, 'vocab'>;
  /** Runs `work` with the view's own parts on the lane of `task`, the parts of the task that has the turn. */
  lend<T>(task: EngineParts, work: (parts: EngineParts) => Promise<T>): Promise<T>;
}

/**
 * By batch, an acquired buffer with the states after the final norm [rows, hidden]. All batches pass a block before the next one, so
 * that blocks which take turns on the GPU come once.
 * @param step is called after each batch and block
 */
export async function teacherStates(
  parts: EngineParts,
  batches: readonly Batch[],
  step: () => void,
): Promise<Map<Batch, GPUBuffer>> {
  const { blocks, buffers, forward, queue, shape } = parts;
  forward.follow(shape.layers);
  const streams = new Map<Batch, GPUBuffer>();
  for (const batch of batches) {
    const stream = await buffers.acquire(batch.tokens.length * shape.hidden * 4, "teacher's hidden");
    await embedBatch(parts, batch, stream);
    streams.set(batch, stream);
  }
  for (const layer of shape.layers) {
    for (const [{ tokens, seqLen }, buffer] of streams) {
      await forward.block(layer, { buffer, first: 0, count: tokens.length }, seqLen);
      step();
    }
  }
  const states = new Map<Batch, GPUBuffer>();
  for (const [batch, buffer] of streams) {
    states.set(batch, await finalNorm(parts, { buffer, first: 0, count: batch.tokens.length }));
    buffers.release(buffer);
  }
  // The pass of the student needs no block of the teacher any more.
  await queue.submit();
  blocks.end();
  return states;
}
