/** @file A block that one view uses, or several views in common, and its slot: the buffers on the GPU that it is in. */
import type { ModelShape } from '../../model/shape';
import type { ModelView } from '../../model/view';
import type { BlockLayout } from './blockLayout';
import type { BlockWeights } from './gpuWeights';
import type { WeightUpload } from './weightUpload';

/** A view that uses blocks. */
export interface BlockUser {
  readonly view: WrittenView;
  readonly shape: ModelShape;
  /** By `LayerShape.source`. If the view lacks a sub-block, so does the layout, even if the GPU holds it for others. */
  readonly layouts: ReadonlyMap<number, BlockLayout>;
  readonly upload: Pick<WeightUpload, 'part' | 'settle'>;
  readonly readers: readonly PlannedReader[];
  sourceOf(block: StoredBlock): number | undefined;
}

/** The part of a view that its blocks use. */
export type WrittenView = Pick<ModelView, 'id' | 'shape' | 'writeBack'>;

/** A reader whose route is known. */
export interface PlannedReader {
  /** Submits the commands that the reader's task has encoded, at once. */
  submitNow(): void;
  /** Blocks between here and the next visit of this one; infinite where none is planned. */
  distanceTo(block: StoredBlock): number;
}

export class StoredBlock {
  readonly layout: BlockLayout;
  readonly users = new Set<BlockUser>();
  /** Null while the block is not on the GPU, nor on its way there. */
  slot: Slot | null = null;
  /** Counts up: when a task last announced that it would visit the block. */
  announced = 0;
  /** The view that may write the block, and that alone reads it; null for a block as the checkpoint or a patch stores it. */
  owner: BlockUser | null = null;
  /** The shared block of which this one is a view's own copy, until its values have been copied; else null. */
  origin: StoredBlock | null = null;

  constructor(layout: BlockLayout) {
    this.layout = layout;
  }
}

export interface Slot {
  /** The block whose weights are in the buffers or on their way there. */
  readonly block: StoredBlock;
  /** `BlockLayout.key` of the layout that the buffers were made for. */
  readonly layoutKey: string;
  /** Of all buffers; counted from the moment that the slot is planned. */
  readonly bytes: number;
  /** One per part of the layout; empty until they are allocated. */
  readonly buffers: GPUBuffer[];
  /** Null until the weights have arrived. */
  weights: BlockWeights | null;
  /** Readers that hold the slot. */
  pins: number;
  /** Settles when the weights have arrived; null when nothing is on its way. */
  loading: Promise<void> | null;
  /** The weights differ from those that the view's source serves. */
  dirty: boolean;
  /** Settles when the weights have been written back; null when nothing is being written back. */
  saving: Promise<void> | null;
}

/** Whether the slot's block may be evicted now. */
export const isIdle = ({ pins, loading, saving }: Slot): boolean => pins === 0 && loading === null && saving === null;
