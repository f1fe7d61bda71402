/** @file What the parts of a graph share while it is written, and how it looks from outside. */
import type { LayerRole, LayerShape, ModelShape } from '../model/shape';
import type { GraphBuilder } from './builder';

/** A weight matrix [out, in] as a product reads it. */
export interface Matrix {
  readonly name: string;
  /** The initializer, or the value that holds it as f32. */
  readonly value: string;
  /** The value is f16 and the product's input is f32: it is widened when that input is there. */
  readonly chained: boolean;
  readonly rows: number;
  /** Of its rows, so many are widened at a time. */
  readonly widened: number;
  /** What its values are to be multiplied by: a power of two, 1 but for some that were BF16. */
  readonly scale: number;
}

/** What the block functions share while one graph is written. */
export interface GraphContext {
  readonly graph: GraphBuilder;
  readonly shape: ModelShape;
  readonly maxPositions: number;
  /** Rotate with separate nodes although the attention node could. */
  readonly separateRotary: boolean;
  /** Element type of activations and cache. */
  readonly element: 'float32' | 'float16';
  /** The value that holds a norm's weight or a bias, as `element`; a norm's with the model's offset added. */
  layerVector(role: LayerRole, layer: LayerShape): string;
  finalNorm(): string;
  layerMatrix(role: LayerRole, layer: LayerShape): Matrix;
  modelMatrix(role: 'embed' | 'lmHead'): Matrix;
  readonly layout: GraphLayout;
  /** Values made once and read by many nodes, by name. */
  once(name: string, make: () => string): string;
}

/** The residual stream: `delta` is a block's output that the next norm still has to add. */
export interface Residual {
  readonly residual: string;
  readonly delta: string | null;
}

/** Values of the graph's inputs that the body asks for. */
export interface BodyNeeds {
  /** `position_ids` [batch, seqLen], int64: the place of each token in its sequence. */
  readonly positionIds: boolean;
  /** `seqlens_k` [batch], the length of each sequence so far − 1, and `total_sequence_length` [], of the longest; both int32. */
  readonly groupQuery: boolean;
}

/**
 * A graph as callers see it: its inputs, its cache and its logits. The body between them is the same in every layout, and reads the
 * values `position_ids`, `seqlens_k`, `total_sequence_length` and `logit_rows`.
 */
export interface GraphLayout {
  /** Names of dimensions. */
  readonly symbols: { readonly batch: string; readonly past: string; readonly present: string };
  /** Name of a layer's cache before ('past') and after ('present') the run. */
  cache(when: 'past' | 'present', kind: 'key' | 'value', index: number): string;
  /** Whether the attention of a layer is computed node by node. */
  composes(layer: LayerShape): boolean;
  /** Whether the cache of a layer is joined node by node: past and present are two buffers. */
  appends(layer: LayerShape): boolean;
  /** Declares the inputs, and makes those of the body's values that are no inputs. Returns the token ids [batch, seqLen]. */
  begin(context: GraphContext, needs: BodyNeeds): string;
  /** Where keys are padding, 1 and else 0: [batch, 1, 1, keys], f32. Absent where no key is padding. */
  readonly padding?: (context: GraphContext) => string;
  /** Name of the value that gets the logits of the rows in `logit_rows`, [rows, vocab]. */
  readonly rowLogits: string;
  /** Declares the logits as an output. */
  end(context: GraphContext): void;
}
