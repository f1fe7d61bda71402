/** @file What an engine is made with, and what it tells about its memory and its kernels. */
import type { TaskOptions } from '../task';
import type { AnyTileName } from './kernels/backTile';
import type { TunedClass } from './kernels/matmulClasses';
import type { BlockUse } from './weights/blockStore';

/** Of all open views together. */
export interface EngineMemory {
  readonly liveBytes: number;
  readonly peakBytes: number;
  /** How many blocks the GPU has room for, and how many bytes were uploaded because it has no room for all. */
  readonly blocks: BlockUse;
  /** Counts the peak from now on. */
  resetPeak(): void;
}

/** Bounds that a test or a cautious host may lower. They hold for all views together. */
export interface EngineOptions extends TaskOptions {
  /**
   * GPU memory for weights and for the inputs that a backward pass keeps, bytes. Blocks that do not fit alternate,
   * inputs that do not fit wait in the worker's memory. As much as the GPU gives unless given.
   */
  memoryBytes?: number | undefined;
  /** Largest part of the embedding or head in one binding, bytes; the adapter's limit unless given. */
  vocabPartBytes?: number;
  /** Memory for the hidden states of one round of a removal sweep, bytes. */
  sweepBytes?: number;
  /** Memory for the logits' gradients of one chunk of the vocabulary, bytes. */
  logitBytes?: number;
  /** The tile of every matmul that can run in it, instead of the measured choice. */
  kernel?: string | undefined;
  /** Tiles that multiply in f16 may be measured and chosen, if the adapter has them: scores then change a little. */
  float16Matmuls?: boolean | undefined;
  /** What was measured before on this adapter, with these shaders and in this precision. */
  tuned?: readonly TunedClass[] | undefined;
}

/** How the tiles of the model's matmuls are chosen. */
export interface ModelTuning {
  /** Measured classes of this model's matmuls, the slowest first. */
  readonly classes: readonly TunedClass[];
  /** Classes that were not measured: they run in the static choice. */
  readonly left: number;
  /** The tile that every matmul runs in wherever it can; null if measurement decides. */
  readonly forced: AnyTileName | null;
  /** Some matmul is computed in f16. */
  readonly inHalfPrecision: boolean;
}
