/** @file The rotary embedding that config.json asks for, in the words of any version of transformers. */
import * as v from 'valibot';
import { type RopeScaling, type RopeShape, yarnAttentionFactor } from '../numerics/rope';
import type { RopeRule } from './architectures/architecture';
import {
  badConfig,
  type Fields,
  numberAbove,
  parseFields,
  record,
  scale,
  show,
  size,
  unsupported,
} from './configFields';

const positions = size(2 ** 27);

const thetaSchema = v.object({ rope_theta: v.nullish(numberAbove(1, 1e15)) });
const factorSchema = v.object({ factor: scale });
const llama3Schema = v.object({
  factor: scale,
  low_freq_factor: scale,
  high_freq_factor: scale,
  original_max_position_embeddings: v.nullish(positions),
});
const yarnSchema = v.object({
  factor: v.nullish(scale),
  original_max_position_embeddings: v.nullish(positions),
  attention_factor: v.nullish(scale),
  beta_fast: v.nullish(scale, 32),
  beta_slow: v.nullish(scale, 1),
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
export function parseRopes(
  raw: Fields,
  maxPositions: number,
  { theta, windowTheta }: RopeRule,
  notes: string[],
): LayerRopes {
  if (windowTheta === undefined) {
    const inner = innerFields(raw, notes);
    for (const layerType of ['full_attention', 'sliding_attention']) {
      if (inner[layerType] !== undefined) throw unsupported(`rope_parameters of ${layerType}`, 'one for all layers');
    }
    const rope = parseRope(raw, inner, maxPositions, theta, notes);
    return { full: rope, windowed: rope };
  }
  const types = ropeRecord(raw, 'rope_parameters');
  const ofType = (name: string): Fields => record(types[name]) ?? {};
  const unread = Object.keys(types).filter((name) => name !== 'full_attention' && name !== 'sliding_attention');
  if (unread.length > 0) {
    notes.push(
      `config.json: rope_parameters.${show(unread[0])} belongs to no layer type and is ignored, as in transformers.`,
    );
  }
  const full = { ...ofType('full_attention'), ...ropeRecord(raw, 'rope_scaling') };
  const local = { rope_theta: raw['rope_local_base_freq'] };
  return {
    full: parseRope(raw, full, maxPositions, theta, notes),
    windowed: parseRope(local, ofType('sliding_attention'), maxPositions, windowTheta, notes),
  };
}

/**
 * θ and the scaling of it, said in a record of its own or, some of it, outside. As in transformers the record counts
 * before what is outside, except for `original_max_position_embeddings`. Throws 'bad-config' for what is no value of
 * its field, 'unsupported-architecture' for what we do not compute.
 */
function parseRope(
  outside: Fields,
  inner: Fields,
  maxPositions: number,
  defaultTheta: number,
  notes: string[],
): RopeShape {
  const fields = ropeFields(outside, inner, notes);
  const kind = fields['rope_type'] ?? fields['type'] ?? 'default';
  const partial = fields['partial_rotary_factor'] ?? 1;
  if (partial !== 1 && kind === 'default') {
    notes.push(
      `config.json: partial_rotary_factor ${show(partial)} is ignored: transformers rotates whole heads here.`,
    );
  } else if (partial !== 1) {
    throw unsupported(`partial_rotary_factor ${show(partial)}`, 'rotary embedding of whole heads');
  }
  const theta = parseFields(thetaSchema, fields, 'rotary embedding: ').rope_theta ?? defaultTheta;
  const scaling = parseScaling(kind, fields, maxPositions);
  return scaling === null ? { theta } : { theta, scaling };
}

function parseScaling(kind: unknown, fields: Fields, maxPositions: number): RopeScaling | null {
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
        'types whose frequencies do not depend on the text',
      );
    default:
      throw unsupported(`a rotary embedding of type ${show(kind)}`, "'default', 'linear', 'dynamic', 'llama3', 'yarn'");
  }
}

/** Fields of a rotary embedding that may also stand outside its record. */
const outer = ['rope_theta', 'partial_rotary_factor', 'original_max_position_embeddings'];

/** What is said inside and outside, null being nothing. Other fields of the record, whatever their names, are not read. */
function ropeFields(outside: Fields, inner: Fields, notes: string[]): Fields {
  const said = ropeNames.filter((name) => (inner[name] ?? undefined) !== undefined);
  const found: Record<string, unknown> = Object.fromEntries(said.map((name) => [name, inner[name]]));
  for (const field of outer) {
    const here = outside[field] ?? undefined;
    const there = found[field];
    if (here === undefined) continue;
    const wins = there === undefined || field === 'original_max_position_embeddings' ? here : there;
    found[field] = wins;
    if (there !== undefined && there !== here) {
      notes.push(
        `config.json: ${field} is ${show(here)} outside and ${show(there)} inside the rotary embedding's fields;` +
          ` ${show(wins)} is used, as in transformers.`,
      );
    }
  }
  return found;
}

const ropeNames = [
  ...['rope_type', 'type', 'factor', 'low_freq_factor', 'high_freq_factor', 'attention_factor', 'beta_fast'],
  ...['beta_slow', 'mscale', 'mscale_all_dim', 'truncate'],
  ...outer,
];

/** The record of the rotary embedding: the older `rope_scaling` counts where it says anything, then the newer one does not. */
function innerFields(raw: Fields, notes: string[]): Fields {
  const older = ropeRecord(raw, 'rope_scaling');
  const newer = ropeRecord(raw, 'rope_parameters');
  if (Object.keys(older).length === 0) return newer;
  if (Object.keys(newer).length > 0) {
    notes.push('config.json: rope_scaling is used and rope_parameters is ignored, as in transformers.');
  }
  return older;
}

/** A field that holds a record; what Python takes for nothing is an empty one. */
function ropeRecord(raw: Fields, name: string): Fields {
  const value = raw[name] ?? false;
  if (value === false || value === 0 || value === '' || (Array.isArray(value) && value.length === 0)) return {};
  const fields = record(value);
  if (!fields) throw badConfig(`${name}: expected an object or null, got ${show(value)}`);
  return fields;
}
