/** @file What a model family is to us: how it reads config.json and how it names its weights. One table per family. */
import type { BiasRole, LayerRole, LayerShape, ModelRole } from '../shape';

export interface Architecture {
  /** `model_type` of config.json. */
  readonly family: string;
  /** Class name that transformers writes into `architectures`. */
  readonly className: string;
  /** Fields of config.json by their names there: what transformers takes where the file lacks them. */
  readonly defaults: Readonly<Record<string, number>>;
  readonly biases: BiasRule;
  /** As in the layer's shape. */
  readonly qkNorm?: NonNullable<LayerShape['qkNorm']>;
  readonly windows: WindowRule;
  /** Tensor names; `{layer}` stands for the block's index in the checkpoint. */
  readonly layer: Readonly<Record<LayerRole, string>>;
  readonly model: Readonly<Record<ModelRole, string>>;
}

/** Which projections of the attention add a bias: always, or where `attention_bias` of config.json is true. */
export interface BiasRule {
  readonly roles: readonly BiasRole[];
  readonly when: 'always' | 'attention_bias';
}

/** Which layers attend within a sliding window. */
export type WindowRule =
  /** No layer, whatever config.json says of windows. */
  | 'none'
  /** Every layer, where `sliding_window` is a number. */
  | 'every-layer'
  /** Those that `layer_types` names, else those from `max_window_layers` on; none unless `use_sliding_window`. */
  | 'chosen-layers';

/** Hugging Face name of a block's weight; `source` is `LayerShape.source`. */
export function layerTensorName(architecture: Architecture, role: LayerRole, source: number): string {
  return architecture.layer[role].replace('{layer}', String(source));
}

/** Hugging Face name of a weight outside the blocks. */
export function modelTensorName(architecture: Architecture, role: ModelRole): string {
  return architecture.model[role];
}
