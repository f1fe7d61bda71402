/**
 * @file A model as its runtimes see it: a shape with weights. The unpruned model is one, and so is every variant.
 *
 * Numbers, sessions and caches are keyed by a view's id, never by its shape: two views may have equal shapes and other
 * weights.
 */
import type { ModelShape } from './shape';
import type { WeightSource } from './weights';

/** The id of the unpruned model's view. */
export const baseViewId = 'base';

export interface ModelView {
  /** Unique among the views of one open model. */
  readonly id: string;
  readonly shape: ModelShape;
  /** The weights that `LayerShape.source` refers to. */
  readonly weights: WeightSource;
}
