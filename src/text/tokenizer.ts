/** @file Text ↔ token ids of a model: the pipeline of tokenizer.json with what the files beside it say. */
import { LabError } from '../errors';
import type { TaskOptions } from '../task';
import { badTokenizer, type Heard } from './pipeline/bounds';
import { cleanup } from './pipeline/decoders';
import { Pipeline } from './pipeline/pipeline';
import { type TokenizerFiles, tokenizerSettings } from './tokenizerFiles';

export type Awaitable<T> = T | Promise<T>;

export interface EncodeOptions extends TaskOptions {
  /** Special tokens at the text's ends; none unless asked. */
  specialTokens?: boolean | undefined;
}

/** The properties of a tokenizer that are known without a call of its thread. */
export interface TokenizerFacts {
  /** The token that begins a text; null where the files name none, or one beyond the model's vocabulary. */
  readonly bosId: number | null;
  /** The token that ends a text; likewise. */
  readonly eosId: number | null;
  /** A text with special tokens begins with `bosId`: many tokenizers name a token that they do not add. */
  readonly addsBos: boolean;
  /** One more than the largest id; a model's vocabulary may be larger (padding). */
  readonly size: number;
  /** Notes for the user about the files, one sentence each. */
  readonly notes: readonly string[];
}

/** A tokenizer, here or in a thread of its own (tokenizerClient.ts). */
export interface Tokenizer extends TokenizerFacts {
  /** Token ids of a text, all in [0, vocab). Throws 'bad-tokenizer' for a text that it has no tokens for, 'aborted'. */
  encode(text: string, options?: EncodeOptions): Awaitable<number[]>;
  /** Text of ids; special tokens appear as they are written unless `skipSpecial`. Throws 'bad-argument' for ids outside. */
  decode(ids: readonly number[], options?: { skipSpecial?: boolean }): Awaitable<string>;
}

/** One that answers at once. */
export interface SyncTokenizer extends Tokenizer {
  encode(text: string, options?: { specialTokens?: boolean | undefined }, heard?: Heard): number[];
  decode(ids: readonly number[], options?: { skipSpecial?: boolean }): string;
  /** The id of what no other token covers; null where there is none. */
  readonly unknownId: number | null;
}

/** One that was opened from its files. */
export interface OpenedTokenizer extends SyncTokenizer {
  /** A text with special tokens ends with `eosId`. */
  readonly addsEos: boolean;
  /** The vocabulary, and how texts become its tokens. */
  readonly pipeline: Pipeline;
}

/**
 * A tokenizer from tokenizer.json and tokenizer_config.json (null or undefined where there is none) for a model of
 * `vocab` tokens. Throws 'bad-tokenizer'.
 *
 * What is put before and behind a text is what tokenizer.json's post-processor says, as in transformers 5.18, which does not
 * read `add_bos_token` and `add_eos_token` of tokenizer_config.json where there is a tokenizer.json.
 */
export function openTokenizer(
  tokenizerJson: unknown,
  tokenizerConfig: unknown,
  vocab: number,
  more: Omit<TokenizerFiles, 'tokenizer' | 'config'> = {},
): OpenedTokenizer {
  const pipeline = new Pipeline(tokenizerJson);
  const { vocabulary } = pipeline.model;
  if (vocabulary.largest >= vocab) {
    throw badTokenizer(
      `tokenizer.json has ids up to ${vocabulary.largest}, but the model's vocab_size is ${vocab}: they do not fit`,
      'Use tokenizer.json and config.json from the same repository and revision.',
    );
  }
  const own = new Map(pipeline.added.all().map((token) => [token.content, token]));
  const files = { ...more, tokenizer: tokenizerJson, config: tokenizerConfig };
  const settings = tokenizerSettings(files, (content) => own.get(content) ?? null, pipeline.model.type);
  if (settings.tokens.length > 0) pipeline.addTokens(settings.tokens);
  if (settings.splitSpecial) pipeline.splitSpecial();
  const within = (content: string | null): number | null => {
    const id = content === null ? undefined : pipeline.added.idOf(content);
    return id !== undefined && id < vocab ? id : null;
  };
  const [bosId, eosId] = [within(settings.bos), within(settings.eos)];

  const encode: SyncTokenizer['encode'] = (text, { specialTokens = false } = {}, heard = undefined) => {
    const ids = pipeline.encode(text, heard);
    const whole = specialTokens ? (pipeline.postProcess?.(ids) ?? ids) : ids;
    const beyond = whole.find((each) => each >= vocab);
    if (beyond === undefined) return whole;
    const token = pipeline.tokenOf(beyond)?.slice(0, 60) ?? 'unnamed';
    throw badTokenizer(
      `The text has the token '${token}' of id ${beyond}, and the model's vocab_size is ${vocab}`,
      'Use another text, or the tokenizer of this model.',
    );
  };

  return {
    bosId,
    eosId,
    addsBos: bosId !== null && pipeline.postProcess?.([])[0] === bosId,
    addsEos: eosId !== null && pipeline.postProcess?.([]).at(-1) === eosId,
    pipeline,
    size: pipeline.size,
    notes: notesOf(pipeline, vocab),
    unknownId: pipeline.model.unknownId,
    encode,
    decode(ids, { skipSpecial = false } = {}) {
      checkIds(ids, vocab);
      if (ids.length === 0) return '';
      const text = pipeline.decode(ids, skipSpecial);
      return settings.cleanup ? cleanup(text) : text;
    },
  };
}

/** Tokens beside the model's own need no row of the embedding until a text has them. */
function notesOf(pipeline: Pipeline, vocab: number): string[] {
  const beyond = pipeline.added.all().filter(({ id }) => id >= vocab);
  const [first] = beyond;
  if (first === undefined) return [];
  const others = beyond.length > 1 ? ` and ${beyond.length - 1} more` : '';
  return [
    `The tokenizer adds '${first.content.slice(0, 60)}' (id ${first.id})${others} beyond the model's ${vocab} tokens: texts that contain it are refused.`,
  ];
}

function checkIds(ids: readonly number[], vocab: number): void {
  const bad = ids.findIndex((each) => !(Number.isInteger(each) && each >= 0 && each < vocab));
  if (bad === -1) return;
  throw new LabError(
    'bad-argument',
    `Token ids: expected whole numbers in [0, ${vocab}), got ${ids[bad]} at position ${bad}.`,
    'Pass token ids of this model.',
  );
}
