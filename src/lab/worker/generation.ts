/** @file Where a text begins and ends, as the model's own files say. */

import { parseJson } from '../../io/json';
import type { ModelConfig } from '../../model/config';
import { record } from '../../model/configFields';
import { tokenIds } from '../../model/configTokens';
import type { Tokenizer } from '../../text/tokenizer';

const file = 'generation_config.json';

/**
 * Tokens that end a text: those of generation_config.json, which chat models keep more of than config.json, else
 * config.json's. No number depends on them: a file that cannot be read is ignored with a note.
 */
export function endsOfText(
  generationConfig: string | null,
  { eosTokenIds, shape }: Pick<ModelConfig, 'eosTokenIds' | 'shape'>,
  notes: string[] = [],
): readonly number[] {
  if (generationConfig === null) return eosTokenIds;
  let fields: ReturnType<typeof record>;
  try {
    fields = record(parseJson(generationConfig, file, 'bad-config'));
  } catch (thrown) {
    notes.push(`${thrown instanceof Error ? thrown.message : String(thrown)} The file is ignored.`);
    return eosTokenIds;
  }
  if (fields === null) {
    notes.push(`${file} is not a JSON object and is ignored.`);
    return eosTokenIds;
  }
  const said = fields['eos_token_id'];
  if (said === undefined || said === null) return eosTokenIds;
  const ends = tokenIds(said, shape.vocab, `${file}: eos_token_id`, notes);
  return ends.length > 0 ? ends : eosTokenIds;
}

/**
 * A prompt's ids with what the tokenizer's files put before a text, and without what they put behind it: it is to go on.
 * A model needs one token to go on from: where there is none, the one that begins a text.
 */
export async function promptIds(
  tokenizer: Pick<Tokenizer, 'encode' | 'bosId' | 'eosId'>,
  prompt: string,
  bosTokenId: number | null,
  signal?: AbortSignal,
): Promise<number[]> {
  const ids = await tokenizer.encode(prompt, { specialTokens: true, signal });
  const own = (await tokenizer.encode(prompt, { signal })).at(-1);
  if (tokenizer.eosId !== null && ids.at(-1) === tokenizer.eosId && own !== tokenizer.eosId) ids.pop();
  const start = tokenizer.bosId ?? bosTokenId;
  return ids.length === 0 && start !== null ? [start] : ids;
}
