/**
 * @file Gradients of the embedding and the head, chunk by chunk of the vocabulary, after the backward pass of the blocks.
 *
 * A chunk's gradient [cols, hidden] sums up all batches and, if the head is tied, both uses of the table before the sink gets
 * it. For a sink that keeps the gradient of a whole table, the head's part is added to that while the gradients of logits are there
 * (`headBackward.ts`). For others the pass computes the logits of each chunk again: then neither all logits nor a gradient of the
 * whole vocabulary need memory.
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
  readonly batch: Batch;
  /** Null where the head's part has been added to the sink's table. */
  readonly loss: BatchLoss | null;
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
  /** The buffer of a table's gradient [vocab, hidden], where the sink keeps all of it; `chunk` then replaces its rows. */
  table?(role: VocabularyRole): Promise<GPUBuffer>;
}

/** Rows first … first + count of the vocabulary. */
export interface VocabularyRows {
  readonly first: number;
  readonly count: number;
}

/** Most bytes of a chunk's gradient. */
export const vocabularyChunkBytes = 2 ** 26;

/** Rows of a chunk of the vocabulary, so that its logits for so many rows stay within `logitBytes`, and its gradient within a bound. */
export function gradientChunk({ context, shape }: EngineParts, rows: number, logitBytes: number): number {
  const bytes = Math.min(vocabularyChunkBytes, context.device.limits.maxStorageBufferBindingSize);
  return Math.min(chunkRows(rows, logitBytes), Math.max(8, Math.floor(bytes / (32 * shape.hidden)) * 8));
}

/** Tokens of a batch, sorted, on the GPU: acquired buffers. */
interface Positions {
  readonly tokens: Uint32Array;
  readonly buffers: Record<'tokens' | 'starts' | 'positions', GPUBuffer>;
}

/**
 * Hands the gradient of every row of the embedding and the head to the sink.
 * @param most rows of a chunk of the vocabulary
 */
export async function vocabularyBackward(
  parts: EngineParts,
  uses: readonly VocabularyUse[],
  sink: VocabularySink,
  most: number,
): Promise<void> {
  const { buffers, shape, queue, weights } = parts;
  const rowBytes = shape.hidden * 4;
  const positions: Positions[] = [];
  for (const { batch } of uses) positions.push(await uploadPositions(parts, batch));
  const whole = uses.every(({ loss }) => loss === null);
  const tables: [VocabularyRole, typeof weights.embed][] = [['embed', weights.embed]];
  if (!shape.tiedHead && !whole) tables.push(['lmHead', weights.head]);
  for (const [role, table] of tables) {
    const isHead = role === 'lmHead' || shape.tiedHead;
    const known = isHead && whole ? await sink.table!(role) : null;
    for (const chunk of chunksOf(table, most)) {
      const { part: matrix, weightFirst, cols, stride } = chunk;
      const [at, bytes] = [(matrix.first + weightFirst) * rowBytes, cols * rowBytes];
      const gradient = await buffers.acquire(bytes, 'gradient of a chunk');
      if (known === null) queue.clear(gradient);
      else queue.copy(known, at, gradient, 0, bytes);
      if (isHead) for (const { loss } of uses) if (loss !== null) await addHead(parts, chunk, loss, gradient);
      for (const [index, { dHidden }] of role === 'embed' ? uses.entries() : []) {
        await addEmbedding(parts, chunk, positions[index]!, dHidden, gradient);
      }
      const { dHidden: x } = uses[0]!;
      const empty = { matrix, weightFirst, cols, x, dY: x, stride, yFirst: 0, rows: 0 };
      await sink.chunk(role, gradient, { first: matrix.first + weightFirst, count: cols }, empty);
      buffers.release(gradient);
    }
  }
  for (const { buffers: lists } of positions) for (const list of Object.values(lists)) buffers.release(list);
}

/** gradient += dLogitsᵀ · x, with the gradients of logits computed again. */
async function addHead(parts: EngineParts, chunk: VocabChunk, loss: BatchLoss, gradient: GPUBuffer): Promise<void> {
  const { buffers, shape } = parts;
  const { rows } = loss.at;
  const dLogits = await buffers.acquire(rows * chunk.stride * 4, 'gradients of logits');
  for (const piece of pieces(parts, rows, 2 * shape.hidden * chunk.cols)) {
    await loss.logitGradients(chunk, piece, dLogits);
  }
  await addHeadGradient(parts, chunk, loss, dLogits, gradient);
  buffers.release(dLogits);
}

/** gradient [cols, hidden] += dLogitsᵀ · x */
export async function addHeadGradient(
  parts: EngineParts,
  { part: matrix, weightFirst, cols, stride }: VocabChunk,
  { at: { x, rows } }: BatchLoss,
  dLogits: GPUBuffer,
  gradient: GPUBuffer,
): Promise<void> {
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
