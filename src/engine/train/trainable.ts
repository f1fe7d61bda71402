/** @file Which weights a training changes: all of them, or small factors beside frozen ones. */
import type { Dropout } from '../../numerics/dropout';
import type { Kernel } from '../gpu/kernel';
import type { Gradient } from '../pass/gradientBuffers';
import type { GradientSink } from '../pass/gradientSink';
import type { EngineParts } from '../pass/runtime';
import type { VocabularySink } from '../pass/vocabularyBackward';

/** A tensor that the training changes. */
export interface TrainedTensor {
  /** Unique within the training, the same in every session: moments and checkpoints are kept by it. */
  readonly key: string;
  /** The index of the layer that it belongs to; null for the embedding, the final norm and the head. */
  readonly layer: number | null;
  /** Its float32 elements. */
  readonly count: number;
  /** A norm or a bias; else a matrix. */
  readonly vector?: boolean;
}

/** The gradient of a tensor over the whole batch. */
export interface TrainedGradient extends TrainedTensor, Gradient {}

/** The gradient of `count` elements of a tensor from `first` on, over the whole batch, from the buffer's start on. */
export interface GradientPart {
  readonly tensor: TrainedTensor;
  readonly buffer: GPUBuffer;
  readonly first: number;
  readonly count: number;
}

/** Takes a gradient as soon as it is known. The buffer is valid until the call returns. */
export type TakeGradient = (part: GradientPart) => Promise<void>;

/** Where elements of a tensor lie on the GPU: element `stateFirst` of its gradient belongs to element `weightFirst` of `weight`. */
export interface Target {
  readonly weight: GPUBuffer;
  readonly weightFirst: number;
  readonly stateFirst: number;
  readonly count: number;
}

/** The sinks of one step, and the gradients that they hold once the pass has ended. */
export interface StepGradients {
  sinkFor(place: number | 'finalNorm'): GradientSink;
  readonly vocabulary?: VocabularySink | undefined;
  /** Dropout of the adapters' input for a batch of the step; none without it. */
  readonly dropout?: ((batch: number) => Dropout | null) | undefined;
  /** All gradients, those outside of blocks first, then layer by layer; every layer's stand together. */
  gradients(): TrainedGradient[];
}

export interface Trainable {
  /** The kernels that the training adds to those of the passes over batches of so many rows, to be compiled ahead. */
  kernels(parts: EngineParts, rows: number): Iterable<Kernel>;
  /** Whether the tensors are the blocks' own weights, so that a visit of one needs its block on the GPU. */
  readonly inBlocks: boolean;
  /** The tensors, in the order of `StepGradients.gradients` by layer. */
  tensors(parts: EngineParts): TrainedTensor[];
  /** Whether `begin` hands gradients over as they become known, so that a block may be updated before the next one is reached. */
  readonly handsOver?: boolean;
  /**
   * The sinks of a step; steps count from 1.
   * @param take gets every gradient as soon as it is known; then its buffer is used again, and `gradients` has none
   */
  begin(parts: EngineParts, step: number, take?: TakeGradient): StepGradients;
  /**
   * Where a tensor lies. A block's weights are looked up each time, since blocks may take turns on the GPU: valid until the next
   * call for another layer. `writing` makes the block the view's own, before any command that writes it.
   */
  targets(parts: EngineParts, tensor: TrainedTensor, writing: boolean): Promise<readonly Target[]>;
  /** Frees what the training itself keeps on the GPU. */
  close(): void;
}
