/**
 * @file What the files beside tokenizer.json say: further tokens, which of them begin and end a text. As transformers 5.18
 * reads them for its TokenizersBackend, whatever `tokenizer_class` says: tokenizer.json is taken as it is.
 */
import * as v from 'valibot';
import { badTokenizer } from './pipeline/bounds';
import { parsed } from './pipeline/pipeline';
import { looseToken, type NewToken, tokenId } from './pipeline/schema';

/** The JSON of each file; undefined or null where there is none. */
export interface TokenizerFiles {
  readonly tokenizer: unknown;
  /** tokenizer_config.json */
  readonly config?: unknown;
  /** added_tokens.json: tokens and ids, in folders that transformers wrote years ago. */
  readonly addedTokens?: unknown;
  /** special_tokens_map.json */
  readonly specialTokensMap?: unknown;
}

export interface TokenizerSettings {
  /** Tokens to add to those of tokenizer.json, in this order. */
  readonly tokens: readonly NewToken[];
  readonly bos: string | null;
  readonly eos: string | null;
  /** Spaces before marks go where text is decoded, with models other than BPE. */
  readonly cleanup: boolean;
  /** Special tokens that are written in a text are pieces like any other. */
  readonly splitSpecial: boolean;
}

/** Names of special tokens that transformers knows, in its order. */
const attributes = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;

/** A token as text, or as a record that holds it. */
const token = v.union([v.string(), looseToken]);
const named = v.nullish(token, null);
const many = v.nullish(v.union([v.array(token), v.record(v.string(), token)]), null);
const flag = v.nullish(v.boolean(), false);

/** An object with any keys: a list is none. */
function record<S extends v.GenericSchema>(value: S) {
  return v.pipe(
    v.custom<object>(
      (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
      'expected an object',
    ),
    v.record(v.string(), value),
  );
}

const specialSchema = v.looseObject({
  ...(Object.fromEntries(attributes.map((name) => [name, named])) as Record<(typeof attributes)[number], typeof named>),
  additional_special_tokens: many,
  extra_special_tokens: many,
});
const configSchema = v.looseObject({
  ...specialSchema.entries,
  added_tokens_decoder: v.nullish(record(token)),
  clean_up_tokenization_spaces: flag,
  clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output: flag,
  split_special_tokens: flag,
});
const addedSchema = record(tokenId);

/** @param there whether tokenizer.json itself adds a token, and how. Throws 'bad-tokenizer'. */
export function tokenizerSettings(
  files: TokenizerFiles,
  there: (content: string) => NewToken | null,
  modelType: string,
): TokenizerSettings {
  const config = parsed(configSchema, files.config ?? {}, 'tokenizer_config.json', '');
  // tokenizer_config.json with a list of its own is the newer form: the older files beside it are then not read.
  const decoder = config.added_tokens_decoder ?? null;
  const special =
    decoder === null ? parsed(specialSchema, files.specialTokensMap ?? {}, 'special_tokens_map.json', '') : null;
  const merged: v.InferOutput<typeof specialSchema> = { ...config, ...present(special ?? {}) };

  const listed = new Map<string, NewToken>();
  for (const each of decoder === null ? [] : byId(decoder)) listed.set(each.content, each);
  const names = new Map<string, NewToken>();
  const name = (given: string | NewToken | null): string | null => {
    if (given === null) return null;
    const content = textOf(given);
    if (content !== '' && !names.has(content))
      names.set(content, listed.get(content) ?? there(content) ?? asSpecial(given));
    return content;
  };
  const [bos, eos] = attributes.map((key) => name(merged[key]));
  for (const given of modelSpecific(merged)) name(given);
  const extra = merged.extra_special_tokens ?? merged.additional_special_tokens;
  for (const given of extra === null ? [] : Object.values(extra)) name(given);

  if (decoder === null) {
    const added = parsed(addedSchema, files.addedTokens ?? {}, 'added_tokens.json', '');
    const taken = idsOf(files.tokenizer);
    // As transformers counts them: not what special_tokens_map.json lists as additional_special_tokens.
    const further =
      special?.extra_special_tokens ?? config.extra_special_tokens ?? config.additional_special_tokens ?? [];
    const counted = new Set([...attributes.flatMap((key) => merged[key] ?? []), ...Object.values(further)].map(textOf));
    for (const [content, id] of Object.entries(added).sort(([, a], [, b]) => a - b)) {
      // tokenizer.json has the last word on what an id of its list means.
      if (taken.has(id) && !there(content)) continue;
      const isSpecial = counted.has(content);
      listed.set(content, plain(content, isSpecial));
    }
  }
  const tokens: NewToken[] = [];
  for (const each of listed.values()) if (!same(each, there(each.content))) tokens.push(each);
  for (const each of names.values()) if (!there(each.content) && !listed.has(each.content)) tokens.push(each);
  const force = config.clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output;
  return {
    tokens,
    bos: bos ?? null,
    eos: eos ?? null,
    cleanup: config.clean_up_tokenization_spaces === true && (modelType !== 'BPE' || force === true),
    splitSpecial: config.split_special_tokens === true,
  };
}

/** The ids that tokenizer.json, checked already, gives its own added tokens. */
function idsOf(tokenizer: unknown): Set<number> {
  const { added_tokens } = tokenizer as { added_tokens?: { id?: number }[] | null };
  return new Set((added_tokens ?? []).flatMap(({ id }) => (id === undefined ? [] : [id])));
}

/** The tokens of added_tokens_decoder by their ids: an id orders them and says no more, as in transformers. */
function byId(decoder: Record<string, string | NewToken>): NewToken[] {
  return Object.entries(decoder)
    .map(([key, given]) => {
      const id = Number(key);
      if (!/^\d+$/.test(key) || !v.is(tokenId, id)) {
        throw badTokenizer(`tokenizer_config.json: added_tokens_decoder: expected ids, got '${key.slice(0, 60)}'`);
      }
      return { id, token: typeof given === 'string' ? plain(given, true) : given };
    })
    .sort((a, b) => a.id - b.id)
    .map(({ token: each }) => ({ ...each, normalized: each.normalized ?? !each.special }));
}

/** Keys such as image_token, which only some models have. */
function modelSpecific(config: Record<string, unknown>): (string | NewToken)[] {
  return Object.entries(config).flatMap(([key, value]) => {
    if (!key.endsWith('_token') || (attributes as readonly string[]).includes(key)) return [];
    const found = v.safeParse(token, value);
    return found.success ? [found.output] : [];
  });
}

/** Keys that have a value. */
function present(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && value !== undefined));
}

function textOf(given: string | NewToken): string {
  return typeof given === 'string' ? given : given.content;
}

function asSpecial(given: string | NewToken): NewToken {
  if (typeof given === 'string') return plain(given, true);
  return { ...given, special: true, normalized: given.normalized ?? false };
}

function plain(content: string, special: boolean): NewToken {
  return { content, single_word: false, lstrip: false, rstrip: false, normalized: !special, special };
}

function same(a: NewToken, b: NewToken | null): boolean {
  if (b === null) return false;
  const keys = ['single_word', 'lstrip', 'rstrip', 'normalized', 'special'] as const;
  return keys.every((key) => a[key] === b[key]);
}
