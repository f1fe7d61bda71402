/** @file The rotary embedding that config.json asks for, in the words of any version of transformers. */
import * as v from 'valibot';
import { type RopeScaling, type RopeShape, yarnAttentionFactor } from '../numerics/rope';
import type { RopeRule } from './architectures/architecture';
import { badConfig, type Fields, numberAbove, parseFields, record, show, size, unsupported } from './configFields';

const factor = numberAbove(0, 1e6);
const positions = size(2 ** 27);

const thetaSchema = v.object({ rope_theta: v.nullish(numberAbove(1, 1e15)) });
const factorSchema = v.object({ factor });
const llama3Schema = v.object({
  factor,
  low_freq_factor: factor,
  high_freq_factor: factor,
  original_max_position_embeddings: v.nullish(positions),
});
const yarnSchema = v.object({
  factor: v.nullish(factor),
  original_max_position_embeddings: v.nullish(positions),
  attention_factor: v.nullish(factor),
  beta_fast: v.nullish(factor, 32),
  beta_slow: v.nullish(factor, 1),
  mscale: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(1e6)), 0),
  mscale_all_dim: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(1e6)), 0),
  truncate: v.nullish(v.boolean(), true),
});

/** The embeddings of a model's layers: of those that see all before them, and of those with a window. */
export interface LayerRopes {
  readonly full: RopeShape;
  readonly windowed: RopeShape;
}

/**
 * By the family's rule: one for all layers, or a plain one for those with a window, in words of its own or in a
 * `rope_parameters` for each type of layer. Throws as `parseRope`.
 */
export function parseRopes(raw: Fields, maxPositions: number, { theta, windowTheta }: RopeRule): LayerRopes {
  if (windowTheta === undefined) {
    const rope = parseRope(raw, maxPositions, theta);
    return { full: rope, windowed: rope };
  }
  const types = record(raw['rope_parameters']);
  const byType = types !== null && ('full_attention' in types || 'sliding_attention' in types);
  const full = byType ? { ...raw, rope_parameters: types['full_attention'] } : raw;
  const windowed = {
    rope_theta: raw['rope_local_base_freq'],
    rope_parameters: byType ? types['sliding_attention'] : undefined,
  };
  return {
    full: parseRope(full, maxPositions, theta),
    windowed: parseRope(windowed, maxPositions, windowTheta),
  };
}

/**
 * θ and the scaling of it. They stand in `rope_scaling`, in `rope_parameters` of newer files, some of them beside these.
 * Throws 'bad-config' where these disagree, 'unsupported-architecture' for what we do not compute.
 */
function parseRope(raw: Fields, maxPositions: number, defaultTheta: number): RopeShape {
  const fields = ropeFields(raw);
  for (const layerType of ['full_attention', 'sliding_attention']) {
    if (fields[layerType] !== undefined) throw unsupported(`rope_parameters of ${layerType}`, 'one for all layers');
  }
  const partial = fields['partial_rotary_factor'] ?? 1;
  if (partial !== 1) throw unsupported(`partial_rotary_factor ${show(partial)}`, 'rotary embedding of whole heads');
  const theta = parseFields(thetaSchema, fields, 'rotary embedding: ').rope_theta ?? defaultTheta;
  const scaling = parseScaling(fields, maxPositions);
  return scaling === null ? { theta } : { theta, scaling };
}

function parseScaling(fields: Fields, maxPositions: number): RopeScaling | null {
  const kind = fields['rope_type'] ?? fields['type'] ?? 'default';
  if (fields['type'] !== undefined && fields['type'] !== kind) {
    throw badConfig(`rope_type ${show(kind)} and type ${show(fields['type'])}: expected one kind of rotary embedding`);
  }
  const inside = `rotary embedding of type ${show(kind)}: `;
  switch (kind) {
    case 'default':
      return null;
    case 'dynamic':
      // θ grows with the text from max_position_embeddings on only, and longer windows are refused.
      parseFields(factorSchema, fields, inside);
      return null;
    case 'linear':
      return { kind: 'linear', factor: parseFields(factorSchema, fields, inside).factor };
    case 'llama3': {
      const found = parseFields(llama3Schema, fields, inside);
      const { low_freq_factor: lowFreqFactor, high_freq_factor: highFreqFactor } = found;
      if (lowFreqFactor >= highFreqFactor) {
        throw badConfig(
          `${inside}high_freq_factor: expected more than low_freq_factor ${lowFreqFactor}, got ${highFreqFactor}`,
        );
      }
      const originalPositions = found.original_max_position_embeddings ?? maxPositions;
      return { kind: 'llama3', factor: found.factor, lowFreqFactor, highFreqFactor, originalPositions };
    }
    case 'yarn': {
      const found = parseFields(yarnSchema, fields, inside);
      const originalPositions = found.original_max_position_embeddings ?? maxPositions;
      const by = found.factor ?? maxPositions / originalPositions;
      const inferred =
        found.mscale > 0 && found.mscale_all_dim > 0
          ? yarnAttentionFactor(by, found.mscale, found.mscale_all_dim)
          : yarnAttentionFactor(by);
      return {
        kind: 'yarn',
        factor: by,
        originalPositions,
        betaFast: found.beta_fast,
        betaSlow: found.beta_slow,
        truncate: found.truncate,
        attentionFactor: found.attention_factor ?? inferred,
      };
    }
    case 'longrope':
    case 'su':
      throw unsupported(
        `a rotary embedding of type ${show(kind)}`,
        'those whose frequencies do not depend on the text',
      );
    default:
      throw unsupported(`a rotary embedding of type ${show(kind)}`, "'default', 'linear', 'dynamic', 'llama3', 'yarn'");
  }
}

/** Everything that the file says of the rotary embedding, wherever; null is nothing. A field said twice must agree. */
function ropeFields(raw: Fields): Fields {
  const { rope_theta, partial_rotary_factor, original_max_position_embeddings } = raw;
  const found: Record<string, unknown> = {};
  const add = (fields: Fields, where: string): void => {
    for (const [field, value] of Object.entries(fields)) {
      if (value === undefined || value === null) continue;
      const known = found[field];
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(value)) {
        throw badConfig(`${where}${field}: ${show(value)} here and ${show(known)} elsewhere in the file`);
      }
      found[field] = value;
    }
  };
  add({ rope_theta, partial_rotary_factor, original_max_position_embeddings }, '');
  for (const name of ['rope_scaling', 'rope_parameters']) {
    const value = raw[name];
    if (value === undefined || value === null) continue;
    const fields = record(value);
    if (!fields) throw badConfig(`${name}: expected an object or null, got ${show(value)}`);
    add(fields, `${name}.`);
  }
  return found;
}
