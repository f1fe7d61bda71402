/**
 * @file Where weights, gradients and moments of a training lie, within a bound of GPU memory.
 *
 * With room for all three, all stay on the GPU. With room for weights and gradients, moments that do not fit stay outside. With less,
 * each block is updated as soon as its gradient is known: then one block's gradients are on the GPU at a time, and blocks that do
 * not fit alternate in the remaining room.
 */
import type { EngineParts } from '../pass/runtime';
import { vocabularyChunkBytes } from '../pass/vocabularyBackward';
import { passingBytes } from './moments';
import type { TrainedTensor } from './trainable';

/** Bytes of a training's parts. Trained weights, gradients and moments are float32. */
export interface TrainingSize {
  /** The weights of each block that the training visits, as they lie on the GPU. */
  readonly blocks: readonly number[];
  /** Trained elements outside of blocks, and of each block. */
  readonly trainedOutside: number;
  readonly trained: readonly number[];
  /** Elements of the largest trained tensor. */
  readonly largestTensor: number;
  /** Largest buffer of the GPU; null where that is unknown. */
  readonly bufferBytes: number | null;
}

export type TrainingWay = 'together' | 'momentsOutside' | 'blockByBlock';

export interface TrainingPlan {
  readonly way: TrainingWay;
  /** On the GPU. */
  readonly blocks: number;
  readonly gradients: number;
  readonly moments: number;
  /** Moments on their way through the GPU. */
  readonly passing: number;
  /** The two largest blocks: fewer do not do. */
  readonly twoBlocks: number;
  /** Least bytes that the training needs, block by block if it can. */
  readonly least: number;
}

/**
 * @param room bytes for all this; infinite for as many as the GPU gives
 * @param handsOver whether the training can update a block as soon as its gradient is known
 */
export function planTraining(size: TrainingSize, room: number, handsOver: boolean): TrainingPlan {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const largest = (values: readonly number[]): number => Math.max(0, ...values);
  const trained = size.trainedOutside + sum(size.trained);
  const all = sum(size.blocks);
  const gradients = 4 * trained;
  const moments = 8 * trained;
  const twoBlocks = sum([...size.blocks].sort((a, b) => b - a).slice(0, 2));
  const passing = passingBytes(size.largestTensor);
  const oneBlock = Math.max(4 * largest(size.trained), Math.min(vocabularyChunkBytes, 4 * size.trainedOutside));
  const least = handsOver ? twoBlocks + oneBlock + passing : twoBlocks + gradients + moments;
  const inBuffers = 4 * size.largestTensor <= (size.bufferBytes ?? Number.POSITIVE_INFINITY);
  // Small factors beside frozen weights stay, whether or not the weights alternate.
  if (!handsOver || (inBuffers && all + gradients + moments <= room)) {
    const blocks = Math.min(all, Math.max(twoBlocks, room - gradients - moments));
    return { way: 'together', blocks, gradients, moments, passing: 0, twoBlocks, least };
  }
  if (inBuffers && all + gradients + passing <= room) {
    const left = room - all - gradients - passing;
    return {
      way: 'momentsOutside',
      blocks: all,
      gradients,
      moments: Math.min(moments, left),
      passing,
      twoBlocks,
      least,
    };
  }
  const left = Math.max(0, room - oneBlock - passing);
  const blocks = Math.min(all, Math.max(twoBlocks, left));
  return {
    ...{ way: 'blockByBlock', blocks, gradients: oneBlock, passing, twoBlocks, least },
    moments: Math.min(moments, Math.max(0, left - blocks)),
  };
}

/** What the training takes, by the layout of its blocks. */
export function sizeOf({ context, shape, weights }: EngineParts, tensors: readonly TrainedTensor[]): TrainingSize {
  const elements = (layer: number | null): number =>
    tensors.reduce((sum, tensor) => sum + (tensor.layer === layer ? tensor.count : 0), 0);
  const { maxBufferSize, maxStorageBufferBindingSize } = context.device.limits;
  return {
    blocks: shape.layers.map(({ source }) => weights.blocks.layouts.get(source)?.bytes ?? 0),
    trainedOutside: elements(null),
    trained: shape.layers.map((_, layer) => elements(layer)),
    largestTensor: Math.max(0, ...tensors.map(({ count }) => count)),
    bufferBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize),
  };
}
