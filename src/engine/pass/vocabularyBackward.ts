/**
 * @file Gradients of the embedding and the head, chunk by chunk of the vocabulary, after the backward pass of the blocks.
 *
 * A chunk's gradient [cols, hidden] sums up all batches and, if the head is tied, both uses of the table before the sink gets
 * it. The pass computes the logits of each chunk again. So neither all logits nor a gradient of the whole vocabulary need memory.
 */

import { embeddingGradient } from '../kernels/embeddingGradient';
import type { WeightFactors } from './gradientSink';
import type { BatchLoss } from './headLoss';
import { pieces, touch } from './parts';
import { type EngineParts, uploadWords } from './runtime';
import type { Batch } from './sequences';
import { tokenUses } from './tokenUses';
import { chunkRows, chunksOf, type VocabChunk } from './vocabularyChunks';
import { weightGradient } from './weightGradient';

export type VocabularyRole = 'embed' | 'lmHead';

/** A batch's buffers from the forward and the backward pass. */
export interface VocabularyUse {
  readonly loss: BatchLoss;
  /** The gradient of the stream before the first block [rows, hidden]. */
  readonly dHidden: GPUBuffer;
}

/** Takes the gradients of the embedding and the head. */
export interface VocabularySink {
  /**
   * The gradient [rows.count, hidden] of these rows of a table; a tied head's is part of the embedding's. The buffer is valid until
   * the call returns. `empty` has no rows: with it `weightGradient` compares the gradient with the weights.
   */
  chunk(role: VocabularyRole, gradient: GPUBuffer, rows: VocabularyRows, empty: WeightFactors): Promise<void>;
}

/** Rows first … first + count of the vocabulary. */
export interface VocabularyRows {
  readonly first: number;
  readonly count: number;
}

/** Most bytes of a chunk's gradient. */
export const vocabularyChunkBytes = 2 ** 26;

/** Tokens of a batch, sorted, on the GPU: acquired buffers. */
interface Positions {
  readonly tokens: Uint32Array;
  readonly buffers: Record<'tokens' | 'starts' | 'positions', GPUBuffer>;
}

/**
 * Hands the gradient of every row of the embedding and the head to the sink.
 * @param logitBytes memory for the gradients of one chunk's logits
 */
export async function vocabularyBackward(
  parts: EngineParts,
  uses: readonly VocabularyUse[],
  sink: VocabularySink,
  logitBytes: number,
): Promise<void> {
  const { buffers, context, shape, queue, weights } = parts;
  const rows = Math.max(...uses.map(({ loss }) => loss.at.rows));
  const bytes = Math.min(vocabularyChunkBytes, context.device.limits.maxStorageBufferBindingSize);
  const most = Math.min(chunkRows(rows, logitBytes), Math.max(8, Math.floor(bytes / (32 * shape.hidden)) * 8));
  const positions: Positions[] = [];
  for (const { loss } of uses) positions.push(await uploadPositions(parts, loss.at.batch));
  const tables: [VocabularyRole, typeof weights.embed][] = [['embed', weights.embed]];
  if (!shape.tiedHead) tables.push(['lmHead', weights.head]);
  for (const [role, table] of tables) {
    for (const chunk of chunksOf(table, most)) {
      const { part: matrix, weightFirst, cols, stride } = chunk;
      const gradient = await buffers.acquire(cols * shape.hidden * 4, 'gradient of a chunk');
      queue.clear(gradient);
      const dLogits = await buffers.acquire(rows * stride * 4, 'gradients of logits');
      for (const [index, use] of uses.entries()) {
        if (role === 'lmHead' || shape.tiedHead) await addHead(parts, chunk, use.loss, dLogits, gradient);
        if (role === 'embed') await addEmbedding(parts, chunk, positions[index]!, use.dHidden, gradient);
      }
      const { x } = uses[0]!.loss.at;
      const empty = { matrix, weightFirst, cols, x, dY: dLogits, stride, yFirst: 0, rows: 0 };
      await sink.chunk(role, gradient, { first: matrix.first + weightFirst, count: cols }, empty);
      for (const used of [gradient, dLogits]) buffers.release(used);
    }
  }
  for (const { buffers: lists } of positions) for (const list of Object.values(lists)) buffers.release(list);
}

/** gradient += dLogitsᵀ · x */
async function addHead(
  parts: EngineParts,
  chunk: VocabChunk,
  loss: BatchLoss,
  dLogits: GPUBuffer,
  gradient: GPUBuffer,
): Promise<void> {
  const { part: matrix, weightFirst, cols, stride } = chunk;
  const { x, rows } = loss.at;
  for (const piece of pieces(parts, rows, 2 * parts.shape.hidden * cols)) {
    await loss.logitGradients(chunk, piece, dLogits);
  }
  const factors = { matrix, weightFirst, cols, x, dY: dLogits, stride, yFirst: 0, rows };
  const { partials } = await weightGradient(parts, factors, gradient, { carryIn: 1, carryOut: 1 });
  parts.buffers.release(partials);
}

/** gradient[token, :] += dHidden of every position of each token within the chunk. */
async function addEmbedding(
  { shape, queue }: EngineParts,
  { part, weightFirst, cols }: VocabChunk,
  { tokens, buffers }: Positions,
  dHidden: GPUBuffer,
  gradient: GPUBuffer,
): Promise<void> {
  const vocabFirst = part.first + weightFirst;
  const useFirst = tokens.filter((token) => token < vocabFirst).length;
  const uses = tokens.filter((token) => token < vocabFirst + cols).length - useFirst;
  if (uses === 0) return;
  const { hidden, embedScale: scale = 1 } = shape;
  await queue.launch(
    embeddingGradient,
    { dY: dHidden, ...buffers, gradient },
    { uses, useFirst, hidden, vocabFirst, scale },
    uses * hidden * touch,
  );
}

async function uploadPositions(parts: EngineParts, batch: Batch): Promise<Positions> {
  const { tokens, starts, positions } = tokenUses(batch);
  return {
    tokens,
    buffers: {
      tokens: await uploadWords(parts, tokens, 'tokens'),
      starts: await uploadWords(parts, starts, 'starts of tokens'),
      positions: await uploadWords(parts, positions, 'positions of tokens'),
    },
  };
}
