/**
 * @file The loss of a backward pass as an exchangeable part: it reads the stream behind the final norm, and writes the gradients of
 * the logits chunk by chunk of the vocabulary. So no loss stores all logits.
 */
import type { Kernel } from '../gpu/kernel';
import type { EngineParts } from './runtime';
import type { Batch } from './sequences';
import type { VocabChunk } from './vocabularyChunks';

/** A batch at the head. */
export interface HeadRows {
  readonly batch: Batch;
  readonly rows: number;
  /** The stream after the final norm [rows, hidden]. */
  readonly x: GPUBuffer;
  /** The token that follows each row [rows]. */
  readonly targets: GPUBuffer;
  /** The weight of each row's loss in the pass's loss [rows]: the same for every row that counts, 0 for the others. */
  readonly weights: GPUBuffer;
}

/** Per predicted token that counts, in nats: sums or means over them. */
export interface LossTerms {
  /** What the pass minimizes. */
  readonly loss: number;
  /** The negative log-likelihood of the next token. */
  readonly crossEntropy: number;
  /** KL(teacher ‖ student) of the next-token distributions at the temperature of the distillation; null without a teacher. */
  readonly divergence: number | null;
}

/** The loss of one batch, with the buffers that its gradients need. */
export interface BatchLoss {
  readonly at: HeadRows;
  /** Sums over these rows, which are those that count. */
  sums(rows: Iterable<number>): LossTerms;
  /** Writes rows first … first + count of dLogits [·, chunk.stride], the gradients of the logits; computes the logits again. */
  logitGradients(chunk: VocabChunk, piece: { first: number; count: number }, dLogits: GPUBuffer): Promise<void>;
  /** Returns its buffers to the pool; not those of `at`. */
  release(): void;
}

export interface HeadLoss {
  /** Buffers as large as dLogits that it works with at a time, dLogits included. */
  readonly logitBuffers: number;
  /** Blocks that a batch passes in `begin`. */
  readonly blocks: number;
  /** Kernels of it, to be compiled ahead. */
  kernels(parts: EngineParts): Iterable<Kernel>;
  /** Called before the forward pass with all batches of the pass; `step` after each batch and block that it passes. */
  begin?(batches: readonly Batch[], step: () => void): Promise<void>;
  /** The loss of a batch of `begin`, whose stream has passed all blocks. */
  of(parts: EngineParts, at: HeadRows): Promise<BatchLoss>;
}
