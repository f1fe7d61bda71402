/** @file The loss of language models: the negative log-likelihood of the next token. */
import { headGradient } from '../kernels/headGradient';
import type { BatchLoss, HeadLoss, HeadRows } from './headLoss';
import type { EngineParts } from './runtime';
import { headLoss } from './vocabulary';

export const nextTokenLoss: HeadLoss = {
  logitBuffers: 1,
  blocks: 0,
  *kernels({ choice, shape, weights }) {
    for (const { dtype, inner, rows: cols } of weights.head) {
      for (const tile of choice.tiles('headGradient', { dtype, inner, cols })) {
        yield headGradient(dtype, tile, shape.logitSoftcap);
      }
    }
  },
  async of(parts, at) {
    const { buffers, queue } = parts;
    const { x, targets, rows } = at;
    const lse = await buffers.acquire(rows * 4, 'log-sum-exp');
    const nll = await buffers.acquire(rows * 4, 'nll');
    await headLoss(parts, x, rows, { targets, targetFirst: 0 }, { nll, lse, first: 0 });
    const losses = new Float32Array(await queue.read(nll, rows * 4));
    buffers.release(nll);
    return batchLoss(parts, at, lse, losses);
  },
};

/** @param lse log-sum-exp of each row's logits [rows] */
function batchLoss(parts: EngineParts, at: HeadRows, lse: GPUBuffer, losses: Float32Array): BatchLoss {
  const { buffers, choice, queue, shape } = parts;
  const { x, targets, weights: dNll } = at;
  return {
    at,
    sums(rows) {
      let loss = 0;
      for (const row of rows) loss += losses[row]!;
      return { loss, crossEntropy: loss, divergence: null };
    },
    async logitGradients({ part, weightFirst, cols, stride }, { first, count }, dLogits) {
      const { hidden: inner } = shape;
      const tile = choice.tile('headGradient', { dtype: part.dtype, rows: count, inner, cols });
      await queue.launch(
        headGradient(part.dtype, tile, shape.logitSoftcap),
        { weight: part.buffer, x, targets, lse, dNll, dLogits },
        { rows: count, first, inner, cols, stride, weightFirst, vocabFirst: part.first + weightFirst },
        2 * count * inner * cols,
      );
    },
    release: () => buffers.release(lse),
  };
}
