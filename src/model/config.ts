/** @file config.json → ModelShape. The file comes from outside: parsed with a schema, bounded, never trusted. */
import * as v from 'valibot';
import { architectureOf } from './architectures';
import type { BiasRule } from './architectures/architecture';
import {
  badConfig,
  defined,
  type Fields,
  numberAbove,
  parseFields,
  record,
  show,
  size,
  unsupported,
} from './configFields';
import { parseRopes } from './configRope';
import { parseActivation, parseScaling } from './configScaling';
import { parseWindows } from './configWindows';
import type { BiasRole, LayerShape, ModelShape } from './shape';

/** What we take from a config.json. */
export interface ModelConfig {
  readonly shape: ModelShape;
  /** Class name as in the file, e.g. 'LlamaForCausalLM'. */
  readonly architecture: string;
  readonly bosTokenId: number | null;
  /** Tokens that end a text; empty when the file names none. */
  readonly eosTokenIds: readonly number[];
}

const tokenId = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Fields that all families share, with transformers' defaults; a field that has no sensible default there is required. */
const schema = v.object({
  architectures: v.nullish(v.array(v.pipe(v.string(), v.maxLength(100)))),
  hidden_size: size(2 ** 16),
  intermediate_size: size(2 ** 20),
  num_hidden_layers: size(1024),
  num_attention_heads: size(1024),
  num_key_value_heads: v.nullish(size(1024)),
  head_dim: v.nullish(size(1024)),
  vocab_size: size(2 ** 22),
  max_position_embeddings: size(2 ** 27),
  rms_norm_eps: v.nullish(numberAbove(0, 0.1), 1e-6),
  tie_word_embeddings: v.nullish(v.boolean(), false),
  bos_token_id: v.nullish(tokenId),
  eos_token_id: v.nullish(v.union([tokenId, v.pipe(v.array(tokenId), v.maxLength(64))])),
});

type Parsed = v.InferOutput<typeof schema>;

/** Shape and facts of a parsed config.json. Throws 'bad-config' or 'unsupported-architecture'. */
export function parseConfig(json: unknown): ModelConfig {
  const raw = record(json);
  if (raw === null) {
    throw badConfig(
      `expected an object, got ${json === null ? 'null' : Array.isArray(json) ? 'an array' : typeof json}`,
    );
  }
  if (typeof raw['model_type'] !== 'string') {
    throw badConfig(`model_type: expected a string such as 'llama', got ${show(raw['model_type'])}`);
  }
  const architecture = architectureOf(raw['model_type']);
  const said = textFields(raw, architecture.textField);
  refuseVariations(said);

  const filled = { ...architecture.defaults, ...said };
  const fields = parseFields(schema, filled);
  const sizes = attentionSizes(fields);
  const ropes = parseRopes(said, fields.max_position_embeddings, architecture.rope);
  const scaling = parseScaling(filled, architecture, { headDim: sizes.headDim, hidden: fields.hidden_size });
  const every = {
    ...sizes,
    ffn: fields.intermediate_size,
    ...biases(said, architecture.biases),
    ...defined('qkNorm', architecture.qkNorm),
    ...defined('normPlacement', architecture.normPlacement),
    ...parseActivation(said, architecture.activation),
    ...scaling.layer,
  };
  const layers = parseWindows(filled, architecture.windows).map((window, source): LayerShape => {
    const rope = window === undefined ? ropes.full : ropes.windowed;
    const plain = rope.scaling === undefined && rope.theta === ropes.full.theta;
    return { source, ...every, ...defined('rope', plain ? undefined : rope), ...defined('window', window) };
  });
  const eos = fields.eos_token_id ?? [];
  const config: ModelConfig = {
    architecture: fields.architectures?.[0] ?? architecture.className,
    bosTokenId: fields.bos_token_id ?? null,
    eosTokenIds: typeof eos === 'number' ? [eos] : eos,
    shape: {
      family: architecture.family,
      vocab: fields.vocab_size,
      hidden: fields.hidden_size,
      layers,
      normEps: fields.rms_norm_eps,
      ropeTheta: ropes.full.theta,
      maxPositions: fields.max_position_embeddings,
      tiedHead: fields.tie_word_embeddings,
      ...defined('normOffset', architecture.normOffset),
      ...scaling.model,
    },
  };
  for (const id of [config.bosTokenId ?? 0, ...config.eosTokenIds]) {
    if (id >= fields.vocab_size) {
      throw badConfig(`token id ${id} (bos_token_id, eos_token_id) is outside vocab_size ${fields.vocab_size}`);
    }
  }
  return config;
}

/** The language model's fields: the file's own, or those of a field of it, beside which stands what is said of the whole. */
function textFields(raw: Fields, field: string | undefined): Fields {
  if (field === undefined) return raw;
  const text = record(raw[field]);
  if (text === null) throw badConfig(`${field}: expected an object, got ${show(raw[field])}`);
  const whole = ['architectures', 'bos_token_id', 'eos_token_id', 'quantization_config'];
  const above = whole.filter((name) => raw[name] != null).map((name) => [name, raw[name]] as const);
  return { ...text, ...Object.fromEntries(above) };
}

/** Head counts and dimension: the query heads share the key/value heads evenly, and RoPE turns channel pairs. */
function attentionSizes(fields: Parsed): Pick<LayerShape, 'heads' | 'kvHeads' | 'headDim'> {
  const heads = fields.num_attention_heads;
  const kvHeads = fields.num_key_value_heads ?? heads;
  if (heads % kvHeads !== 0) {
    throw badConfig(`num_key_value_heads: expected a divisor of num_attention_heads ${heads}, got ${kvHeads}`);
  }
  if (fields.head_dim == null && fields.hidden_size % heads !== 0) {
    throw badConfig(
      `hidden_size: expected a multiple of num_attention_heads ${heads} (there is no head_dim), got ${fields.hidden_size}`,
    );
  }
  const headDim = fields.head_dim ?? fields.hidden_size / heads;
  if (headDim % 2 !== 0) {
    throw badConfig(`head dimension: expected an even number (rotary embedding turns pairs), got ${headDim}`);
  }
  return { heads, kvHeads, headDim };
}

/** The biases of every layer: those of the family, all or none of them as `attention_bias` says. */
function biases(raw: Fields, { roles, when }: BiasRule): { biases?: readonly BiasRole[] } {
  const asked = raw['attention_bias'] ?? false;
  if (typeof asked !== 'boolean') throw badConfig(`attention_bias: expected true or false, got ${show(asked)}`);
  if (asked && roles.length === 0) throw unsupported('attention_bias: true', 'this family without biases');
  const has = roles.length > 0 && (when === 'always' || asked);
  return has ? { biases: roles } : {};
}

/** Refuses what a configuration may ask for and our kernels do not do: a wrong number is worse than none. */
function refuseVariations(raw: Fields): void {
  const bias = raw['mlp_bias'] ?? false;
  if (typeof bias !== 'boolean') throw badConfig(`mlp_bias: expected true or false, got ${show(bias)}`);
  if (bias) throw unsupported('mlp_bias: true', 'MLPs without bias');
  const both = raw['use_bidirectional_attention'] ?? false;
  if (both !== false) throw unsupported(`use_bidirectional_attention ${show(both)}`, 'attention to what came before');
  if (raw['quantization_config'] != null) {
    const method = record(raw['quantization_config'])?.['quant_method'];
    throw unsupported(`quantized weights (${show(method)})`, 'F32, F16 and BF16 weights');
  }
}
