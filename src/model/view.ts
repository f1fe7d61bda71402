/**
 * @file A model as its runtimes see it: a shape with weights. The unpruned model is one, and so is every variant.
 *
 * Numbers, sessions and caches are keyed by a view's id, never by its shape: two views may have equal shapes and different
 * weights.
 */
import type { LayerRole, ModelShape } from './shape';
import type { StoredDtype, WeightSource } from './weights';

/** The id of the unpruned model's view. */
export const baseViewId = 'base';

export interface ModelView {
  /** Unique among the views of one open model. */
  readonly id: string;
  readonly shape: ModelShape;
  /** The weights that `LayerShape.source` refers to. */
  readonly weights: WeightSource;
  /**
   * Stores the weights of block `source` that were written on the GPU, so that `weights` serves them from then on. The pieces
   * come role by role, each role from its first byte on. When it rejects, the block stays on the GPU and is written back
   * again later. Written weights get places of their own, since other views may share what is stored at the old ones. A view
   * without it cannot be written.
   */
  readonly writeBack?: ((source: number, pieces: AsyncIterable<WrittenPiece>) => Promise<void>) | undefined;
}

/** Consecutive bytes of a weight that was written. */
export interface WrittenPiece {
  readonly role: LayerRole;
  /** The type that the GPU holds: the stored one for a matrix, F32 for norms and biases. */
  readonly dtype: StoredDtype;
  readonly dims: readonly number[];
  /** Where the bytes begin within the weight. */
  readonly begin: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}
