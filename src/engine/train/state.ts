/** @file The state of a training as float32 values: every trained tensor and its moments, read from the GPU piece by piece. */
import type { EngineParts } from '../pass/runtime';
import type { MomentStore } from './moments';
import type { Trainable } from './trainable';

export type StateKind = 'weight' | 'first' | 'second';

/** Consecutive elements of a tensor, or of one of its moments. */
export interface StatePart {
  readonly key: string;
  readonly kind: StateKind;
  /** Elements of the whole tensor, and where these begin in it. Parts of one tensor and kind come in order. */
  readonly count: number;
  readonly first: number;
  readonly values: Float32Array<ArrayBuffer>;
}

/** A state to continue from. */
export interface TrainingState {
  /** Steps made before it. */
  readonly steps: number;
  /** @throws LabError 'bad-weights' where the state lacks the tensor */
  read(key: string, kind: StateKind, first: number, count: number): Promise<Float32Array<ArrayBuffer>>;
}

/** Elements that are read back at a time. */
const pieceElements = 2 ** 22;

export async function* readPieces(
  { queue }: Pick<EngineParts, 'queue'>,
  buffer: GPUBuffer,
  first: number,
  count: number,
): AsyncGenerator<Float32Array<ArrayBuffer>> {
  for (let at = 0; at < count; at += pieceElements) {
    const bytes = 4 * Math.min(pieceElements, count - at);
    yield new Float32Array(await queue.read(buffer, bytes, (first + at) * 4));
  }
}

/** Hands over the state as it is now. */
export async function stateParts(
  parts: EngineParts,
  trained: Trainable,
  moments: MomentStore,
  onPart: (part: StatePart) => Promise<void>,
): Promise<void> {
  const tensors = trained.tensors(parts);
  const layers = new Set(!trained.inBlocks ? [] : tensors.flatMap(({ layer }) => layer ?? []));
  parts.blocks.follow([...layers].map((layer) => parts.shape.layers[layer]!.source));
  for (const tensor of tensors) {
    const { key, count } = tensor;
    for (const { weight, weightFirst, stateFirst, count: part } of await trained.targets(parts, tensor, false)) {
      let first = stateFirst;
      for await (const values of readPieces(parts, weight, weightFirst, part)) {
        await onPart({ key, kind: 'weight', count, first, values });
        first += values.length;
      }
    }
    const both = await moments.of(parts, tensor);
    for (const kind of ['first', 'second'] as const) {
      let first = 0;
      for await (const values of readPieces(parts, both[kind], 0, count)) {
        await onPart({ key, kind, count, first, values });
        first += values.length;
      }
    }
  }
}
