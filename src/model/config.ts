/** @file config.json → ModelShape. The file comes from outside: parsed with a schema, bounded, never trusted. */
import * as v from 'valibot';
import { LabError } from '../errors';
import { architectureOf } from './architectures';
import type { ModelShape } from './shape';

/** What we take from a config.json. */
export interface ModelConfig {
  readonly shape: ModelShape;
  /** Class name as in the file, e.g. 'LlamaForCausalLM'. */
  readonly architecture: string;
  readonly bosTokenId: number | null;
  /** Tokens that end a text; empty when the file names none. */
  readonly eosTokenIds: readonly number[];
}

/** A size in [1, max]. The bounds lie far above any model that exists: they stop absurd allocations, not models. */
const size = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const tokenId = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Fields and defaults follow transformers' LlamaConfig; a field that has no sensible default there is required. */
const schema = v.object({
  architectures: v.nullish(v.array(v.pipe(v.string(), v.maxLength(100)))),
  hidden_size: size(2 ** 16),
  intermediate_size: size(2 ** 20),
  num_hidden_layers: size(1024),
  num_attention_heads: size(1024),
  num_key_value_heads: v.nullish(size(1024)),
  head_dim: v.nullish(size(1024)),
  vocab_size: size(2 ** 22),
  max_position_embeddings: v.nullish(size(2 ** 27), 2048),
  rms_norm_eps: v.nullish(v.pipe(v.number(), v.gtValue(0), v.maxValue(0.1)), 1e-6),
  rope_theta: v.nullish(v.pipe(v.number(), v.gtValue(0), v.maxValue(1e15))),
  tie_word_embeddings: v.nullish(v.boolean(), false),
  bos_token_id: v.nullish(tokenId),
  eos_token_id: v.nullish(v.union([tokenId, v.pipe(v.array(tokenId), v.maxLength(64))])),
});

type Fields = v.InferOutput<typeof schema>;

/** Shape and facts of a parsed config.json. Throws 'bad-config' or 'unsupported-architecture'. */
export function parseConfig(json: unknown): ModelConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badConfig(
      `expected an object, got ${json === null ? 'null' : Array.isArray(json) ? 'an array' : typeof json}`,
    );
  }
  const raw = json as Readonly<Record<string, unknown>>;
  if (typeof raw['model_type'] !== 'string') {
    throw badConfig(`model_type: expected a string such as 'llama', got ${show(raw['model_type'])}`);
  }
  const architecture = architectureOf(raw['model_type']);
  refuseVariations(raw);

  const parsed = v.safeParse(schema, raw);
  if (!parsed.success) throw badConfig(issueText(parsed.issues[0]));
  const fields = parsed.output;
  const { heads, kvHeads, headDim } = attentionSizes(fields);
  const eos = fields.eos_token_id ?? [];
  const config: ModelConfig = {
    architecture: fields.architectures?.[0] ?? architecture.className,
    bosTokenId: fields.bos_token_id ?? null,
    eosTokenIds: typeof eos === 'number' ? [eos] : eos,
    shape: {
      family: architecture.family,
      vocab: fields.vocab_size,
      hidden: fields.hidden_size,
      layers: Array.from({ length: fields.num_hidden_layers }, (_, source) => ({
        source,
        heads,
        kvHeads,
        headDim,
        ffn: fields.intermediate_size,
      })),
      normEps: fields.rms_norm_eps,
      ropeTheta: ropeTheta(raw, fields),
      maxPositions: fields.max_position_embeddings,
      tiedHead: fields.tie_word_embeddings,
    },
  };
  for (const id of [config.bosTokenId ?? 0, ...config.eosTokenIds]) {
    if (id >= fields.vocab_size) {
      throw badConfig(`token id ${id} (bos_token_id, eos_token_id) is outside vocab_size ${fields.vocab_size}`);
    }
  }
  return config;
}

/** Head counts and dimension: the query heads share the key/value heads evenly, and RoPE turns channel pairs. */
function attentionSizes(fields: Fields): { heads: number; kvHeads: number; headDim: number } {
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

/** θ from `rope_theta`, or from the `rope_parameters` that newer versions of transformers write. */
function ropeTheta(raw: Readonly<Record<string, unknown>>, fields: Fields): number {
  if (fields.rope_theta != null) return fields.rope_theta;
  const nested = record(raw['rope_parameters'])?.['rope_theta'] ?? record(raw['rope_scaling'])?.['rope_theta'];
  if (nested === undefined || nested === null) return 10000;
  const parsed = v.safeParse(schema.entries.rope_theta, nested);
  if (!parsed.success || parsed.output == null) {
    throw badConfig(`rope_parameters.rope_theta: expected a positive number, got ${show(nested)}`);
  }
  return parsed.output;
}

/** Refuses what a LLaMA configuration may ask for and our kernels do not do: a wrong number is worse than none. */
function refuseVariations(raw: Readonly<Record<string, unknown>>): void {
  for (const field of ['rope_scaling', 'rope_parameters']) {
    const scaling = raw[field];
    if (scaling === undefined || scaling === null) continue;
    const fields = record(scaling);
    if (!fields) throw badConfig(`${field}: expected an object or null, got ${show(scaling)}`);
    const kind = fields['rope_type'] ?? fields['type'] ?? 'default';
    if (kind !== 'default') throw unsupported(`${field} of type ${show(kind)}`, 'plain rotary embedding');
    const partial = fields['partial_rotary_factor'] ?? 1;
    if (partial !== 1) throw unsupported(`partial_rotary_factor ${show(partial)}`, 'rotary embedding of whole heads');
  }
  for (const field of ['attention_bias', 'mlp_bias']) {
    const value = raw[field] ?? false;
    if (typeof value !== 'boolean') throw badConfig(`${field}: expected true or false, got ${show(value)}`);
    if (value) throw unsupported(`${field}: true`, 'projections without bias');
  }
  const activation = raw['hidden_act'] ?? 'silu';
  if (activation !== 'silu') throw unsupported(`hidden_act ${show(activation)}`, "'silu'");
  if (raw['quantization_config'] != null) {
    const method = record(raw['quantization_config'])?.['quant_method'];
    throw unsupported(`quantized weights (${show(method)})`, 'F32, F16 and BF16 weights');
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

/** A value from outside, short enough for a message. */
function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function issueText(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? 'a field';
  const bound =
    issue.requirement === undefined ? '' : ` (${issue.type.replace(/_/g, ' ')}: ${String(issue.requirement)})`;
  if (issue.input === undefined) return `${path} is missing`;
  const expected = typeof issue.requirement === 'function' ? 'a whole number' : (issue.expected ?? 'another value');
  return `${path}: expected ${expected}${typeof issue.requirement === 'function' ? '' : bound}, got ${show(issue.input)}`;
}

function badConfig(what: string): LabError {
  return new LabError(
    'bad-config',
    `config.json: ${what}.`,
    'Take config.json from the same repository and revision as the weights.',
  );
}

function unsupported(what: string, expected: string): LabError {
  return new LabError(
    'unsupported-architecture',
    `config.json asks for ${what}; Secateur runs ${expected}.`,
    'Choose a LLaMA model without this feature.',
  );
}
