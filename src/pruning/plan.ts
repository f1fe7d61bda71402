/** @file A pruning plan is plain JSON: indices of the whole model's units, nothing about tensors. */

/** What to remove, in indices of the unpruned model. */
export interface PruningPlan {
  readonly version: 1;
  /** Id of the model that the indices belong to. */
  readonly model: string;
  /** Blocks to leave out whole, ascending. */
  readonly removeBlocks: readonly number[];
  /** Blocks that lose only their attention, ascending; none of them in removeBlocks. */
  readonly removeAttention: readonly number[];
  /** Blocks that lose only their MLP, ascending; none of them in removeBlocks. */
  readonly removeMlp: readonly number[];
}
