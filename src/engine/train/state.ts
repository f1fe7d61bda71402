/** @file The state of a training as float32 values: every trained tensor and its moments, read from the GPU piece by piece. */
import type { EngineParts } from '../pass/runtime';
import type { MomentKind, MomentStore } from './moments';
import { inPieces, readPieces } from './pieces';
import type { Trainable } from './trainable';

export type StateKind = 'weight' | MomentKind;

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
    for (const kind of ['first', 'second'] as const) {
      let first = 0;
      for await (const values of moments.read(parts, tensor, kind)) {
        await onPart({ key, kind, count, first, values });
        first += values.length;
      }
    }
  }
}

/** Puts a state in place of the one that is there. */
export async function restoreParts(
  parts: EngineParts,
  trained: Trainable,
  moments: MomentStore,
  state: TrainingState,
): Promise<void> {
  const { queue } = parts;
  for (const tensor of trained.tensors(parts)) {
    const { key, count: whole } = tensor;
    for (const { weight, weightFirst, stateFirst, count } of await trained.targets(parts, tensor, true)) {
      for (const { first, count: some } of inPieces(count)) {
        const values = await state.read(key, 'weight', stateFirst + first, some);
        await queue.write(weight, values, (weightFirst + first) * 4);
      }
    }
    for (const kind of ['first', 'second'] as const) {
      for (const { first, count } of inPieces(whole)) {
        await moments.write(parts, tensor, kind, first, await state.read(key, kind, first, count));
      }
    }
  }
  await queue.submit();
}
