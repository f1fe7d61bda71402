/** @file Text ↔ token ids, by Hugging Face's tokenizers in JavaScript behind checks of what comes from outside. */
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import * as v from 'valibot';
import { LabError } from '../errors';

export interface Tokenizer {
  /** Token ids of a text; special tokens at its ends only when asked. Ids lie in [0, vocab). */
  encode(text: string, options?: { specialTokens?: boolean }): number[];
  /** Text of ids; special tokens appear as they are written unless `skipSpecial`. Throws 'bad-argument' for ids outside. */
  decode(ids: readonly number[], options?: { skipSpecial?: boolean }): string;
  /** The token that begins a text; null where the files name none. */
  readonly bosId: number | null;
  /** The token that ends a text; null where the files name none. */
  readonly eosId: number | null;
  /** A text with special tokens begins with `bosId`: many tokenizers name a token that they do not add. */
  readonly addsBos: boolean;
  /** One more than the largest id; a model's vocabulary may be larger (padding), never smaller. */
  readonly size: number;
}

const maxId = 2 ** 24;
const id = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(maxId));
const component = v.nullish(v.object({ type: v.string() }));

/** What we rely on. The library gets the file itself: a schema's output lacks keys such as 'constructor', a token to us. */
const tokenizerSchema = v.object({
  added_tokens: v.nullish(v.array(v.object({ id, content: v.string() })), []),
  normalizer: component,
  pre_tokenizer: component,
  post_processor: component,
  decoder: component,
  model: v.object({
    // The library takes a type that it does not know for a list of whole words.
    type: v.nullish(v.picklist(['BPE', 'Unigram', 'WordPiece', 'WordLevel'])),
    vocab: v.custom<object>((vocab) => typeof vocab === 'object' && vocab !== null),
  }),
});

/** Special tokens come as text, or as a record that holds it. */
const tokenText = v.nullish(v.union([v.string(), v.looseObject({ content: v.string() })]), null);
const configSchema = v.looseObject({
  bos_token: tokenText,
  eos_token: tokenText,
  add_bos_token: v.nullish(v.boolean(), null),
  add_eos_token: v.nullish(v.boolean(), null),
  clean_up_tokenization_spaces: v.nullish(v.boolean(), false),
});

/**
 * A tokenizer from tokenizer.json and tokenizer_config.json (null or undefined where there is none) for a model of
 * `vocab` tokens. Throws 'bad-tokenizer'.
 */
export function openTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown, vocab: number): Tokenizer {
  const parsed = parse(tokenizerSchema, tokenizerJson, 'tokenizer.json');
  const config = parse(configSchema, tokenizerConfig ?? {}, 'tokenizer_config.json');
  const size = largestId(parsed.model.vocab, parsed.added_tokens) + 1;
  if (size > vocab) {
    throw badTokenizer(
      `tokenizer.json has ids up to ${size - 1}, but the model's vocab_size is ${vocab}: they do not fit`,
      'Take tokenizer.json and config.json from the same repository and revision.',
    );
  }
  const library = openLibrary(tokenizerJson as object, config);
  const bosId = specialId(library, config.bos_token);
  const eosId = specialId(library, config.eos_token);

  const encode: Tokenizer['encode'] = (text, { specialTokens = false } = {}) => {
    const { ids } = library.encode(text, { add_special_tokens: specialTokens });
    const bad = ids.findIndex((each) => !(Number.isInteger(each) && each >= 0 && each < vocab));
    if (bad !== -1) {
      throw badTokenizer(
        `tokenizer.json has no token for a piece of the text (position ${bad}) and no unk_token`,
        'Use another text, or a tokenizer that covers all bytes.',
      );
    }
    if (!specialTokens) return ids;
    return withEnds(ids, library.encode(text, { add_special_tokens: false }).ids, config, { bosId, eosId });
  };

  return {
    bosId,
    eosId,
    addsBos: bosId !== null && encode('', { specialTokens: true })[0] === bosId,
    size,
    encode,
    decode(ids, { skipSpecial = false } = {}) {
      checkIds(ids, vocab);
      if (ids.length === 0) return '';
      return library.decode([...ids], {
        skip_special_tokens: skipSpecial,
        clean_up_tokenization_spaces: config.clean_up_tokenization_spaces,
      });
    },
  };
}

/**
 * The library applies tokenizer.json's post-processor and does not read `add_bos_token` and `add_eos_token` of
 * tokenizer_config.json; where they are given they have the last word, as in transformers' LLaMA tokenizer.
 */
function withEnds(
  ids: readonly number[],
  /** Of the text alone: special tokens that somebody wrote into it are part of it. */
  own: readonly number[],
  config: v.InferOutput<typeof configSchema>,
  { bosId, eosId }: { bosId: number | null; eosId: number | null },
): number[] {
  const ends = [...ids];
  const more = ids.length > own.length;
  if (bosId !== null && config.add_bos_token !== null) {
    const added = more && ids[0] === bosId && (own[0] !== bosId || ids[1] === bosId);
    if (config.add_bos_token && !added) ends.unshift(bosId);
    if (!config.add_bos_token && added) ends.shift();
  }
  if (eosId !== null && config.add_eos_token !== null) {
    const added = more && ids.at(-1) === eosId && (own.at(-1) !== eosId || ids.at(-2) === eosId);
    if (config.add_eos_token && !added) ends.push(eosId);
    if (!config.add_eos_token && added) ends.pop();
  }
  return ends;
}

function openLibrary(tokenizerJson: object, config: object): HuggingFaceTokenizer {
  const absent = { added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  try {
    return new HuggingFaceTokenizer(withDigits({ ...absent, ...tokenizerJson }), config);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw badTokenizer(`tokenizer.json: ${reason.slice(0, 200)}`, undefined, cause);
  }
}

/**
 * The library's 'Digits' knows 0 to 9 alone, Hugging Face's own all numeric characters (½, ①, ٣): a split that means the
 * same takes its place.
 */
function withDigits(json: Record<string, unknown>): Record<string, unknown> {
  const replaced = (step: unknown): unknown => {
    if (typeof step !== 'object' || step === null) return step;
    const { type, individual_digits, pretokenizers } = step as Record<string, unknown>;
    if (type === 'Sequence' && Array.isArray(pretokenizers))
      return { ...step, pretokenizers: pretokenizers.map(replaced) };
    if (type !== 'Digits') return step;
    const pattern = { Regex: individual_digits === true ? '\\p{N}' : '\\p{N}+' };
    return { type: 'Split', pattern, behavior: 'Isolated', invert: false };
  };
  return { ...json, pre_tokenizer: replaced(json['pre_tokenizer']) };
}

/** Largest id of the vocabulary (token → id, or Unigram's list of [token, score]) and the added tokens; −1 for none. */
function largestId(vocab: object, addedTokens: readonly { id: number }[]): number {
  let largest = Array.isArray(vocab) ? vocab.length - 1 : -1;
  for (const [token, value] of Array.isArray(vocab) ? [] : Object.entries(vocab)) {
    if (!v.is(id, value)) {
      const got = String(value).slice(0, 60);
      throw badTokenizer(`tokenizer.json: id of token '${token.slice(0, 60)}': expected a whole number, got ${got}`);
    }
    largest = Math.max(largest, value);
  }
  for (const token of addedTokens) largest = Math.max(largest, token.id);
  return largest;
}

function specialId(library: HuggingFaceTokenizer, token: v.InferOutput<typeof tokenText>): number | null {
  if (token === null) return null;
  return library.token_to_id(typeof token === 'string' ? token : token.content) ?? null;
}

function checkIds(ids: readonly number[], vocab: number): void {
  const bad = ids.findIndex((each) => !(Number.isInteger(each) && each >= 0 && each < vocab));
  if (bad === -1) return;
  throw new LabError(
    'bad-argument',
    `Token ids: expected whole numbers in [0, ${vocab}), got ${ids[bad]} at position ${bad}.`,
    'Give ids of this model.',
  );
}

function parse<Schema extends v.GenericSchema>(schema: Schema, json: unknown, file: string): v.InferOutput<Schema> {
  if (Array.isArray(json)) throw badTokenizer(`${file}: expected an object, got a list`);
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const where = v.getDotPath(issue) ?? 'the file';
  throw badTokenizer(
    `${file}: ${where.slice(0, 100)}: ${issue.message.slice(0, 200)}`,
    'Use the file that transformers wrote.',
  );
}

function badTokenizer(what: string, remedy = 'Use the file that transformers wrote.', cause?: unknown): LabError {
  return new LabError('bad-tokenizer', `${what}.`, remedy, { cause });
}
