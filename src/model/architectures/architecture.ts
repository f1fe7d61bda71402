/** @file What a model family is to us: how it reads config.json and how it names its weights. One table per family. */
import { LabError } from '../../errors';
import type { BiasRole, LayerRole, LayerShape, ModelRole, ModelShape } from '../shape';

export interface Architecture {
  /** `model_type` of config.json. */
  readonly family: string;
  /** Class name that transformers writes into `architectures`. */
  readonly className: string;
  /** The field of config.json that holds the language model's fields, where the model is more than that. */
  readonly textField?: string;
  /** Fields of config.json by their names there: what transformers takes where the file lacks them. */
  readonly defaults: Readonly<Record<string, number | boolean>>;
  /** Fields that scale or cap, which only some families read. The others leave them aside, as transformers does. */
  readonly reads?: readonly ScalingField[];
  readonly activation: ActivationRule;
  readonly biases: BiasRule;
  /** Gate, up and down have a bias where `mlp_bias` of config.json is true. The other families do not read this field. */
  readonly readsMlpBias?: true;
  readonly windows: WindowRule;
  readonly rope: RopeRule;
  /** As in the shapes of layer and model. */
  readonly qkNorm?: NonNullable<LayerShape['qkNorm']>;
  readonly normPlacement?: NonNullable<LayerShape['normPlacement']>;
  readonly normOffset?: NonNullable<ModelShape['normOffset']>;
  /** The embedding is multiplied by √hidden. */
  readonly scaledEmbedding?: true;
  /** Tensor names of the roles that the family has; `{layer}` stands for the block's index in the checkpoint. */
  readonly layer: LayerNames;
  readonly model: Readonly<Record<ModelRole, string>>;
}

export type LayerNames = Readonly<Partial<Record<LayerRole, string>>>;

export type ScalingField =
  /** Scores are divided by its root in place of √headDim. */
  | 'query_pre_attn_scalar'
  /** Soft cap of the scores. */
  | 'attn_logit_softcapping'
  /** Soft cap of the logits. */
  | 'final_logit_softcapping';

/** Where config.json names the activation. */
export interface ActivationRule {
  /** Fields that may say it: the first that does counts. */
  readonly fields: readonly string[];
  /** Names that mean something else here than elsewhere. */
  readonly names?: Readonly<Record<string, Activation>>;
  /** What it is where no field says it. */
  readonly unsaid: Activation;
}

/** Activations by what the layer's shape says of them. */
export type Activation = 'silu' | NonNullable<LayerShape['activation']>;

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
  | 'chosen-layers'
  /** Those that `layer_types` names, else the first and every second after it. */
  | 'every-other-layer'
  /** Those that `layer_types` names, else all but each `sliding_window_pattern`th. */
  | 'all-but-each-nth';

/** The θ of the rotary embedding where config.json lacks it. */
export interface RopeRule {
  readonly theta: number;
  /** Of layers with a window, where these have a plain embedding of their own; its field is `rope_local_base_freq`. */
  readonly windowTheta?: number;
}

/** Hugging Face name of a block's weight; `source` is `LayerShape.source`. Throws 'bad-argument' for a role that the family lacks. */
export function layerTensorName(architecture: Architecture, role: LayerRole, source: number): string {
  const name = architecture.layer[role];
  if (name !== undefined) return name.replace('{layer}', String(source));
  throw new LabError(
    'bad-argument',
    `A block of the family '${architecture.family}' has no ${role}.`,
    'Request only weights that the shape has.',
  );
}

/** Hugging Face name of a weight outside the blocks. */
export function modelTensorName(architecture: Architecture, role: ModelRole): string {
  return architecture.model[role];
}
