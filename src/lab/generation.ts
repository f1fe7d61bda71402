/** @file Where a text begins and ends, as the model's own files say. */
import * as v from 'valibot';
import { LabError } from '../errors';
import type { ModelConfig } from '../model/config';
import type { Tokenizer } from '../text/tokenizer';

const id = v.pipe(v.number(), v.integer(), v.minValue(0));
const schema = v.looseObject({ eos_token_id: v.nullish(v.union([id, v.pipe(v.array(id), v.maxLength(64))])) });

/**
 * Tokens that end a text: those of generation_config.json, which chat models keep more of than config.json, else
 * config.json's. Throws 'bad-config'.
 */
export function endsOfText(
  generationConfig: string | null,
  { eosTokenIds, shape }: Pick<ModelConfig, 'eosTokenIds' | 'shape'>,
): readonly number[] {
  if (generationConfig === null) return eosTokenIds;
  const ends = parse(generationConfig).eos_token_id;
  if (ends === null || ends === undefined) return eosTokenIds;
  // An id beyond the vocabulary can never come.
  return (typeof ends === 'number' ? [ends] : ends).filter((each) => each < shape.vocab);
}

function parse(text: string): v.InferOutput<typeof schema> {
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LabError(
      'bad-config',
      `generation_config.json: ${reason.slice(0, 200)}.`,
      'Take it from the revision of the weights, or load the model without it.',
      { cause },
    );
  }
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
