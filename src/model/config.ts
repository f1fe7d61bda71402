/** @file config.json → ModelShape. The file comes from outside: parsed with a schema, bounded, never trusted. */
import * as v from 'valibot';
import { architectureOf, architectures } from './architectures';
import type { Architecture } from './architectures/architecture';
import { type BlockSizes, familyOfBlocks, ownModelType, parseBlocks } from './configBlocks';
import { badConfig, defined, type Fields, parseFields, record, show, size, unsupported } from './configFields';
import { parseRopes } from './configRope';
import { parseActivation, parseScaling } from './configScaling';
import { parseEdgeTokens } from './configTokens';
import { parseWindows } from './configWindows';
import { type BiasRole, type LayerShape, type ModelShape, mlpBiasRoles } from './shape';

/** What we take from a config.json. */
export interface ModelConfig {
  readonly shape: ModelShape;
  /** Class name as in the file, e.g. 'LlamaForCausalLM'. */
  readonly architecture: string;
  readonly bosTokenId: number | null;
  /** Tokens that end a text; empty when the file names none. */
  readonly eosTokenIds: readonly number[];
  /** Notes about ignored fields and about fields that contradict each other, one sentence each. */
  readonly notes: readonly string[];
}

const maxHeadDim = 1024;

/** Fields that all families share, with transformers' defaults; a field that has no sensible default there is required. */
const schema = v.object({
  hidden_size: size(2 ** 16),
  intermediate_size: size(2 ** 20),
  num_hidden_layers: size(1024),
  num_attention_heads: size(1024),
  num_key_value_heads: v.nullish(size(1024)),
  head_dim: v.nullish(size(maxHeadDim)),
  vocab_size: size(2 ** 22),
  max_position_embeddings: size(2 ** 27),
  rms_norm_eps: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 1e-6),
  tie_word_embeddings: v.nullish(v.boolean(), false),
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
  const notes: string[] = [];
  const architecture = familyOf(raw, notes);
  const said = textFields(raw, architecture.textField);
  refuseVariations(said);

  const filled = { ...architecture.defaults, ...said };
  const fields = parseFields(schema, filled);
  const sizes = attentionSizes(fields);
  const ropes = parseRopes(said, fields.max_position_embeddings, architecture.rope, notes);
  const scaling = parseScaling(filled, architecture, { headDim: sizes.headDim, hidden: fields.hidden_size }, notes);
  const every = {
    ...sizes,
    ffn: fields.intermediate_size,
    ...biases(said, architecture, notes),
    ...defined('qkNorm', architecture.qkNorm),
    ...defined('normPlacement', architecture.normPlacement),
    ...parseActivation(said, architecture.activation),
    ...scaling.layer,
  };
  const blocks = parseBlocks(said, fields.num_hidden_layers);
  const layers = parseWindows(filled, architecture.windows, notes).map((window, source): LayerShape => {
    const rope = window === undefined ? ropes.full : ropes.windowed;
    const plain = rope.scaling === undefined && rope.theta === ropes.full.theta;
    const layer = { source, ...every, ...defined('rope', plain ? undefined : rope), ...defined('window', window) };
    return withSizes(layer, blocks?.[source]);
  });
  const isOwn = raw['model_type'] === ownModelType;
  return {
    architecture: (isOwn ? null : classNameOf(raw)) ?? architecture.className,
    ...parseEdgeTokens(filled, fields.vocab_size, notes),
    notes,
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
}

/** A layer with the sizes and biases of its own, where the file gives it some. */
function withSizes(layer: LayerShape, sizes: BlockSizes | undefined): LayerShape {
  if (sizes === undefined) return layer;
  const { biases: _, ...rest } = layer;
  const { biases: own, ...counts } = sizes;
  return { ...rest, ...counts, ...defined('biases', own.length > 0 ? own : undefined) };
}

/** The family by `model_type`; where the file lacks that, by the name of the class. */
function familyOf(raw: Fields, notes: string[]): Architecture {
  const type = raw['model_type'];
  if (type === ownModelType) return architectureOf(familyOfBlocks(raw));
  if (typeof type === 'string') return architectureOf(type);
  const className = classNameOf(raw);
  const found = type == null ? architectures.find((each) => each.className === className) : undefined;
  if (!found) throw badConfig(`model_type: expected a string such as 'llama', got ${show(type)}`);
  notes.push(`config.json: model_type is missing; ${show(className)} in architectures means '${found.family}'.`);
  return found;
}

/** The class that the file names first; null where it names none. */
function classNameOf(raw: Fields): string | null {
  const names = raw['architectures'];
  const name: unknown = Array.isArray(names) ? names[0] : names;
  return typeof name === 'string' && name.length > 0 && name.length <= 100 ? name : null;
}

/** The language model's fields: the file's own, or those of a field of it, beside which stands what is said of the whole. */
function textFields(raw: Fields, field: string | undefined): Fields {
  if (field === undefined) return raw;
  const text = record(raw[field]);
  if (text === null) throw badConfig(`${field}: expected an object, got ${show(raw[field])}`);
  const whole = ['architectures', 'bos_token_id', 'eos_token_id', 'quantization_config', 'compression_config'];
  const above = whole.filter((name) => raw[name] != null).map((name) => [name, raw[name]] as const);
  return { ...text, ...Object.fromEntries(above) };
}

/** Head counts and dimension: the query heads share the key/value heads evenly, and RoPE rotates channel pairs. */
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
  if (headDim > maxHeadDim) {
    throw badConfig(`hidden_size: expected at most ${maxHeadDim} channels per head, got ${headDim}`);
  }
  if (headDim % 2 !== 0) {
    throw badConfig(`head dimension: expected an even number (rotary embedding rotates pairs), got ${headDim}`);
  }
  return { heads, kvHeads, headDim };
}

/** The biases of every layer: those that the family always has, and those that `attention_bias` and `mlp_bias` ask for. */
function biases(raw: Fields, architecture: Architecture, notes: string[]): { biases?: readonly BiasRole[] } {
  const { roles, when } = architecture.biases;
  const asked = [
    ...(when === 'always' || flag(raw, 'attention_bias') ? roles : []),
    ...(architecture.readsMlpBias && flag(raw, 'mlp_bias') ? mlpBiasRoles : []),
  ];
  if (when === 'always' && roles.length === 0 && raw['attention_bias'] === true) {
    notes.push('config.json: attention_bias true is ignored: this family has no biases.');
  }
  if (!architecture.readsMlpBias && raw['mlp_bias'] === true) {
    notes.push('config.json: mlp_bias true is ignored, as in transformers: the MLPs of this family have no biases.');
  }
  return asked.length > 0 ? { biases: asked } : {};
}

/** A field that is true or false; false where the file lacks it. */
function flag(raw: Fields, field: string): boolean {
  const value = raw[field] ?? false;
  if (typeof value !== 'boolean') throw badConfig(`${field}: expected true or false, got ${show(value)}`);
  return value;
}

/** Refuses what a configuration may ask for and our kernels do not do: a wrong number is worse than none. */
function refuseVariations(raw: Fields): void {
  const both = raw['use_bidirectional_attention'] ?? false;
  if (both !== false) throw unsupported(`use_bidirectional_attention ${show(both)}`, 'causal attention');
  for (const field of ['quantization_config', 'compression_config']) {
    if (raw[field] == null) continue;
    const method = record(raw[field])?.['quant_method'];
    throw unsupported(`quantized weights (${field}: ${show(method ?? raw[field])})`, 'F32, F16 and BF16 weights');
  }
}
