/** @file What a model family is to us: how it names its weights. One table per family. */
import type { LayerRole, ModelRole } from '../shape';

/** A family's tensor names. `{layer}` in a block's names stands for the block's index in the checkpoint. */
export interface Architecture {
  /** `model_type` of config.json. */
  readonly family: string;
  /** Class name that transformers writes into `architectures`. */
  readonly className: string;
  readonly layer: Readonly<Record<LayerRole, string>>;
  readonly model: Readonly<Record<ModelRole, string>>;
}

/** Hugging Face name of a block's weight; `source` is `LayerShape.source`. */
export function layerTensorName(architecture: Architecture, role: LayerRole, source: number): string {
  return architecture.layer[role].replace('{layer}', String(source));
}

/** Hugging Face name of a weight outside the blocks. */
export function modelTensorName(architecture: Architecture, role: ModelRole): string {
  return architecture.model[role];
}
