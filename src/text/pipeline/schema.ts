/** @file The parts of tokenizer.json and their parameters, as Hugging Face's tokenizers 0.23 requires them. */
import * as v from 'valibot';
import { maxParameter, maxSteps } from './bounds';

const text = v.pipe(v.string(), v.maxLength(maxParameter));
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(2 ** 31 - 1));
export const tokenId = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 24));
const flag = v.nullish(v.boolean(), false);
const oneCharacter = v.pipe(
  v.string(),
  v.check((value) => [...value].length === 1, 'expected one character'),
);
const pattern = v.union([v.strictObject({ String: text }), v.strictObject({ Regex: text })]);
const steps = <S extends v.GenericSchema>(step: S) => v.pipe(v.array(step), v.maxLength(maxSteps));

export type NormalizerJson =
  | { type: 'Sequence'; normalizers: NormalizerJson[] }
  | { type: 'NFC' | 'NFD' | 'NFKC' | 'NFKD' | 'StripAccents' | 'Lowercase' | 'Nmt' | 'ByteLevel' }
  | { type: 'Replace'; pattern: v.InferOutput<typeof pattern>; content: string }
  | { type: 'Prepend'; prepend: string }
  | { type: 'Strip'; strip_left: boolean; strip_right: boolean }
  | {
      type: 'BertNormalizer';
      clean_text: boolean;
      handle_chinese_chars: boolean;
      strip_accents: boolean | null;
      lowercase: boolean;
    }
  | { type: 'Precompiled'; precompiled_charsmap: string };

const plain = <T extends string>(type: T) => v.object({ type: v.literal(type) });

export const normalizer: v.GenericSchema<unknown, NormalizerJson> = v.variant('type', [
  v.object({ type: v.literal('Sequence'), normalizers: steps(v.lazy(() => normalizer)) }),
  plain('NFC'),
  plain('NFD'),
  plain('NFKC'),
  plain('NFKD'),
  plain('StripAccents'),
  plain('Lowercase'),
  plain('Nmt'),
  plain('ByteLevel'),
  v.object({ type: v.literal('Replace'), pattern, content: text }),
  v.object({ type: v.literal('Prepend'), prepend: text }),
  v.object({ type: v.literal('Strip'), strip_left: v.boolean(), strip_right: v.boolean() }),
  v.object({
    type: v.literal('BertNormalizer'),
    clean_text: v.boolean(),
    handle_chinese_chars: v.boolean(),
    strip_accents: v.nullish(v.boolean(), null),
    lowercase: v.boolean(),
  }),
  v.object({ type: v.literal('Precompiled'), precompiled_charsmap: v.pipe(v.string(), v.maxLength(2 ** 24)) }),
]);

const behavior = v.picklist(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']);
const scheme = v.picklist(['always', 'first', 'never']);

export interface MetaspaceJson {
  type: 'Metaspace';
  replacement: string;
  prepend_scheme: v.InferOutput<typeof scheme>;
  split: boolean;
}

const metaspace = v.pipe(
  v.object({
    type: v.literal('Metaspace'),
    replacement: oneCharacter,
    add_prefix_space: v.nullish(v.boolean()),
    prepend_scheme: v.optional(scheme, 'always'),
    split: v.nullish(v.boolean(), true),
  }),
  v.check(
    ({ add_prefix_space, prepend_scheme }) => add_prefix_space !== false || prepend_scheme === 'never',
    'add_prefix_space does not match prepend_scheme',
  ),
);

export type PreTokenizerJson =
  | { type: 'Sequence'; pretokenizers: PreTokenizerJson[] }
  | { type: 'BertPreTokenizer' | 'Whitespace' | 'WhitespaceSplit' | 'UnicodeScripts' }
  | { type: 'ByteLevel'; add_prefix_space: boolean; use_regex: boolean }
  | { type: 'CharDelimiterSplit'; delimiter: string }
  | { type: 'Digits'; individual_digits: boolean }
  | { type: 'FixedLength'; length: number }
  | { type: 'Punctuation'; behavior: v.InferOutput<typeof behavior> }
  | {
      type: 'Split';
      pattern: v.InferOutput<typeof pattern>;
      behavior: v.InferOutput<typeof behavior>;
      invert: boolean;
    }
  | MetaspaceJson;

const byteLevel = v.object({
  type: v.literal('ByteLevel'),
  add_prefix_space: v.boolean(),
  trim_offsets: v.boolean(),
  use_regex: v.optional(v.boolean(), true),
});

export const preTokenizer: v.GenericSchema<unknown, PreTokenizerJson> = v.variant('type', [
  v.object({ type: v.literal('Sequence'), pretokenizers: steps(v.lazy(() => preTokenizer)) }),
  plain('BertPreTokenizer'),
  plain('Whitespace'),
  plain('WhitespaceSplit'),
  plain('UnicodeScripts'),
  byteLevel,
  v.object({ type: v.literal('CharDelimiterSplit'), delimiter: oneCharacter }),
  v.object({ type: v.literal('Digits'), individual_digits: v.boolean() }),
  v.object({ type: v.literal('FixedLength'), length: v.optional(v.pipe(whole, v.minValue(1)), 5) }),
  v.object({ type: v.literal('Punctuation'), behavior: v.optional(behavior, 'Isolated') }),
  v.object({ type: v.literal('Split'), pattern, behavior, invert: v.boolean() }),
  metaspace,
]);

/** A template's piece: a token, or the text itself ('B' is a second text, which there is never). */
const piece = v.union([
  v.object({ SpecialToken: v.object({ id: text, type_id: whole }) }),
  v.object({ Sequence: v.object({ id: v.picklist(['A', 'B']), type_id: whole }) }),
]);
const pieces = v.pipe(v.array(piece), v.maxLength(maxSteps));
const tokenAndId = v.tuple([text, tokenId]);

export type PostProcessorJson =
  | { type: 'Sequence'; processors: PostProcessorJson[] }
  | { type: 'ByteLevel' }
  | { type: 'BertProcessing' | 'RobertaProcessing'; sep: [string, number]; cls: [string, number] }
  | {
      type: 'TemplateProcessing';
      single: v.InferOutput<typeof pieces>;
      special_tokens: Record<string, { ids: number[] }>;
    };

export const postProcessor: v.GenericSchema<unknown, PostProcessorJson> = v.variant('type', [
  v.object({ type: v.literal('Sequence'), processors: steps(v.lazy(() => postProcessor)) }),
  byteLevel,
  v.object({ type: v.literal('BertProcessing'), sep: tokenAndId, cls: tokenAndId }),
  v.object({
    type: v.literal('RobertaProcessing'),
    sep: tokenAndId,
    cls: tokenAndId,
    trim_offsets: v.boolean(),
    add_prefix_space: v.boolean(),
  }),
  v.object({
    type: v.literal('TemplateProcessing'),
    single: pieces,
    pair: pieces,
    special_tokens: v.record(
      v.string(),
      v.object({ id: text, ids: v.pipe(v.array(tokenId), v.maxLength(maxSteps)), tokens: v.array(text) }),
    ),
  }),
]);

export type DecoderJson =
  | { type: 'Sequence'; decoders: DecoderJson[] }
  | { type: 'ByteLevel' | 'ByteFallback' | 'Fuse' }
  | { type: 'BPEDecoder'; suffix: string }
  | { type: 'CTC'; pad_token: string; word_delimiter_token: string; cleanup: boolean }
  | { type: 'Replace'; pattern: v.InferOutput<typeof pattern>; content: string }
  | { type: 'Strip'; content: string; start: number; stop: number }
  | { type: 'WordPiece'; prefix: string; cleanup: boolean }
  | MetaspaceJson;

export const decoder: v.GenericSchema<unknown, DecoderJson> = v.variant('type', [
  v.object({ type: v.literal('Sequence'), decoders: steps(v.lazy(() => decoder)) }),
  byteLevel,
  plain('ByteFallback'),
  plain('Fuse'),
  v.object({ type: v.literal('BPEDecoder'), suffix: v.pipe(text, v.minLength(1)) }),
  v.object({ type: v.literal('CTC'), pad_token: text, word_delimiter_token: text, cleanup: v.boolean() }),
  v.object({ type: v.literal('Replace'), pattern, content: text }),
  v.object({ type: v.literal('Strip'), content: oneCharacter, start: whole, stop: whole }),
  v.object({ type: v.literal('WordPiece'), prefix: text, cleanup: v.boolean() }),
  metaspace,
]);

/** A list of tokens by their ids, or what says so; looked through by hand, since it has up to a million entries. */
const vocabulary = v.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object of tokens and ids',
);

export const bpe = v.object({
  type: v.nullish(v.literal('BPE'), 'BPE'),
  vocab: vocabulary,
  merges: v.custom<unknown[]>(Array.isArray, 'expected a list'),
  dropout: v.nullish(v.number(), null),
  unk_token: v.nullish(text, null),
  continuing_subword_prefix: v.nullish(text, null),
  end_of_word_suffix: v.nullish(text, null),
  fuse_unk: flag,
  byte_fallback: flag,
  ignore_merges: flag,
});

export const unigram = v.object({
  type: v.nullish(v.literal('Unigram'), 'Unigram'),
  vocab: v.custom<unknown[]>(Array.isArray, 'expected a list of pieces and scores'),
  unk_id: v.nullish(whole, null),
  byte_fallback: flag,
});

export const wordPiece = v.object({
  type: v.nullish(v.literal('WordPiece'), 'WordPiece'),
  vocab: vocabulary,
  unk_token: text,
  continuing_subword_prefix: text,
  max_input_chars_per_word: whole,
});

export const wordLevel = v.object({
  type: v.nullish(v.literal('WordLevel'), 'WordLevel'),
  vocab: vocabulary,
  unk_token: text,
});

/** As tokenizer.json has it: every field must be there. */
const addedToken = v.object({
  id: tokenId,
  content: text,
  single_word: v.boolean(),
  lstrip: v.boolean(),
  rstrip: v.boolean(),
  normalized: v.boolean(),
  special: v.boolean(),
});

/** As the files beside it have it: transformers fills in what is missing. */
export const looseToken = v.object({
  content: text,
  single_word: flag,
  lstrip: flag,
  rstrip: flag,
  normalized: v.nullish(v.boolean()),
  special: flag,
});
export type NewToken = v.InferOutput<typeof looseToken>;

/** Neither is applied: a text is encoded whole, as transformers does unless asked. They must be well formed all the same. */
const truncation = v.object({
  direction: v.optional(v.picklist(['Left', 'Right'])),
  max_length: whole,
  strategy: v.picklist(['LongestFirst', 'OnlyFirst', 'OnlySecond']),
  stride: whole,
});
const padding = v.object({
  strategy: v.union([v.literal('BatchLongest'), v.strictObject({ Fixed: whole })]),
  direction: v.picklist(['Left', 'Right']),
  pad_to_multiple_of: v.nullish(whole),
  pad_id: tokenId,
  pad_type_id: whole,
  pad_token: text,
});

/** No other key, as in tokenizers: a misspelt part would be left out silently. */
export const tokenizer = v.strictObject({
  version: v.optional(v.literal('1.0')),
  truncation: v.nullish(truncation),
  padding: v.nullish(padding),
  added_tokens: v.optional(v.pipe(v.array(addedToken), v.maxLength(2 ** 20)), []),
  normalizer: v.nullish(normalizer, null),
  pre_tokenizer: v.nullish(preTokenizer, null),
  post_processor: v.nullish(postProcessor, null),
  decoder: v.nullish(decoder, null),
  /** Parsed by its kind (pipeline.ts). */
  model: v.unknown(),
});
