/**
 * @file JSON files for Python. transformers distinguishes 5 from 5.0: its configurations and samplers refuse whole numbers where
 * they want floats, and JavaScript writes both as 5.
 */
import type { ExportedFile } from '../exported';
import { textFile } from '../files';

/** Fields of config.json, of its rotary embedding, and of generation_config.json that are floats in transformers. */
const floatFields: ReadonlySet<string> = new Set([
  ...['rms_norm_eps', 'initializer_range', 'attention_dropout', 'hidden_dropout', 'final_logit_softcapping'],
  ...['attn_logit_softcapping', 'rope_theta', 'rope_local_base_freq', 'partial_rotary_factor', 'factor'],
  ...['low_freq_factor', 'high_freq_factor', 'attention_factor', 'beta_fast', 'beta_slow', 'mscale', 'mscale_all_dim'],
  ...['temperature', 'top_p', 'min_p', 'typical_p', 'epsilon_cutoff', 'eta_cutoff', 'repetition_penalty'],
  ...['encoder_repetition_penalty', 'length_penalty', 'diversity_penalty'],
]);

const mark = '\u0000';

/** The value as JSON with two spaces of indentation, whole numbers of float fields as '5.0'. */
export function pythonJson(value: unknown): string {
  const marked = JSON.stringify(
    value,
    (name, field: unknown) =>
      typeof field === 'number' && Number.isInteger(field) && floatFields.has(name) ? `${mark}${field}${mark}` : field,
    2,
  );
  return `${marked.replace(/"\\u0000(-?\d+)\\u0000"/g, '$1.0')}\n`;
}

export const pythonJsonFile = (path: string, value: unknown): ExportedFile =>
  textFile(path, pythonJson(value), 'application/json');
