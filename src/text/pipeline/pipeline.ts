/**
 * @file tokenizer.json as a function: text → normalized → pieces → ids, and back. It computes what Hugging Face's
 * tokenizers 0.23 (Rust) computes, which fixtures compare (tools/tokenizers); every step is bounded in what it makes of a
 * text, says that it goes on, and works without recursion over the text. A regular expression of the file can still take
 * for ever on some text: callers that take files from outside run this in a worker of its own (tokenizerClient.ts).
 */
import * as v from 'valibot';
import { LabError } from '../../errors';
import { AddedTokens, TokenFinder } from './addedTokens';
import { badTokenizer, checkGrowth, growthLimit, type Heard, withPulse } from './bounds';
import { type Decode, decoderOf } from './decoders';
import { bpeModel } from './models/bpe';
import type { Model } from './models/model';
import { unigramModel } from './models/unigram';
import { wordLevelModel, wordPieceModel } from './models/words';
import { type Normalize, normalizerOf } from './normalizers';
import { type PostProcess, postProcessorOf } from './postProcessors';
import { type PreTokenize, preTokenizerOf } from './preTokenizers';
import {
  bpe,
  type NewToken,
  type NormalizerJson,
  type PreTokenizerJson,
  tokenizer as schema,
  unigram,
  wordLevel,
  wordPiece,
} from './schema';

/** Levels of lists and objects in tokenizer.json; the parser of its parts calls itself at each. */
const maxDepth = 200;

export class Pipeline {
  readonly model: Model;
  readonly added: AddedTokens;
  readonly #normalize: Normalize;
  readonly #preTokenize: PreTokenize;
  readonly #decode: Decode;
  /** What the file puts around a text; null: it says nothing. */
  readonly postProcess: PostProcess | null;
  #finder: TokenFinder;

  /** @throws LabError 'bad-tokenizer' with the part that is unknown or malformed */
  constructor(json: unknown) {
    checkDepth(json);
    const parts = parsed(schema, json, 'tokenizer.json', '');
    this.model = modelOf((json as { model?: unknown }).model);
    checkFirst(parts.normalizer, parts.pre_tokenizer);
    this.#normalize = normalizerOf(parts.normalizer, parts.pre_tokenizer === null);
    this.#preTokenize = preTokenizerOf(parts.pre_tokenizer);
    this.#decode = decoderOf(parts.decoder);
    this.postProcess = parts.post_processor === null ? null : postProcessorOf(parts.post_processor);
    this.added = new AddedTokens(this.model.vocabulary);
    this.added.add(parts.added_tokens);
    this.#finder = new TokenFinder(this.added.all(), this.#normalize);
  }

  /** Adds tokens that other files name. */
  addTokens(tokens: readonly NewToken[]): void {
    this.added.add(tokens);
    this.#finder = new TokenFinder(this.added.all(), this.#normalize);
  }

  /** From now on special tokens are not looked for in texts. */
  splitSpecial(): void {
    this.#finder = new TokenFinder(
      this.added.all().filter(({ special }) => !special),
      this.#normalize,
    );
  }

  /** One more than the largest id. */
  get size(): number {
    return this.added.all().reduce((largest, { id }) => Math.max(largest, id), this.model.vocabulary.largest) + 1;
  }

  /** Ids of a text, without those that the post-processor puts around it. */
  encode(text: string, heard: Heard = () => undefined): number[] {
    let at = 0;
    const said: Heard = (done, total) => {
      at = done;
      heard(done, total);
    };
    return withPulse(
      () => heard(at, text.length),
      () => this.#encode(text, said),
    );
  }

  #encode(text: string, heard: Heard): number[] {
    const whole = text.replace(/\p{Surrogate}/gu, '\ufffd');
    const ids: number[] = [];
    const limit = growthLimit(whole.length);
    let grown = 0;
    let done = 0;
    for (const raw of this.#finder.inRaw(whole)) {
      if ('token' in raw) {
        ids.push(raw.token.id);
        done += raw.token.content.length;
        continue;
      }
      heard(done, whole.length);
      const { text: normalized, fromStart } = this.#normalize(raw.text);
      grown += normalized.length;
      checkGrowth(grown, limit, 'the normalizer');
      for (const part of this.#finder.inNormalized(normalized)) {
        if ('token' in part) ids.push(part.token.id);
        else {
          const first = fromStart && raw.start === 0 && part.start === 0;
          const share = normalized.length === 0 ? 0 : raw.text.length / normalized.length;
          this.#encodePieces(part.text, first, ids, (read) => heard(done + read * share, whole.length));
        }
      }
      done += raw.text.length;
    }
    heard(whole.length, whole.length);
    return ids;
  }

  #encodePieces(text: string, first: boolean, ids: number[], heard: (read: number) => void): void {
    const { texts } = this.#preTokenize({ texts: [text], first });
    let read = 0;
    for (const piece of texts) {
      if (piece === '') continue;
      this.model.encode(piece, ids, () => heard(Math.min(read, text.length)));
      read += piece.length;
      if (read % 2 ** 10 < piece.length) heard(Math.min(read, text.length));
    }
  }

  /** Ids that no token has are left out. */
  decode(ids: readonly number[], skipSpecial: boolean): string {
    const tokens: string[] = [];
    for (const id of ids) {
      const token = this.tokenOf(id);
      if (token !== undefined && !(skipSpecial && this.added.isSpecial(token))) tokens.push(token);
    }
    return this.#decode(tokens);
  }

  /** What an id is written as; an added token that is looked for in normalized text, as that text has it. */
  tokenOf(id: number): string | undefined {
    const added = this.added.byId(id);
    if (added === undefined) return this.model.vocabulary.tokenOf(id);
    return added.normalized ? this.#normalize(added.content).text : added.content;
  }
}

/** Kinds of models in the order in which a file without a type is tried. */
const models: readonly (readonly [string, v.GenericSchema, (json: object) => Model])[] = [
  ['BPE', bpe, (json) => bpeModel(parsed(bpe, json, 'tokenizer.json', 'model.'))],
  ['WordPiece', wordPiece, (json) => wordPieceModel(parsed(wordPiece, json, 'tokenizer.json', 'model.'))],
  ['WordLevel', wordLevel, (json) => wordLevelModel(parsed(wordLevel, json, 'tokenizer.json', 'model.'))],
  ['Unigram', unigram, (json) => unigramModel(parsed(unigram, json, 'tokenizer.json', 'model.'))],
];

/** Each kind by its `type`; without one, the first of these whose fields are there, as tokenizers does. */
function modelOf(json: unknown): Model {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badTokenizer('tokenizer.json: model: expected an object');
  }
  const { type } = json as { type?: unknown };
  const known = models.find(([name]) => name === type);
  if (known) return known[2](json);
  if (type !== undefined) {
    const got = String(JSON.stringify(type)).slice(0, 60);
    throw badTokenizer(
      `tokenizer.json: model.type: expected one of ${models.map(([name]) => name).join(', ')}, got ${got}`,
    );
  }
  const [, , make] = models.find(([, fits]) => v.is(fits, json)) ?? models.at(-1)!;
  return make(json);
}

/** @throws LabError 'bad-tokenizer' with the place */
export function parsed<S extends v.GenericSchema>(
  schema: S,
  json: unknown,
  file: string,
  at: string,
): v.InferOutput<S> {
  if (Array.isArray(json)) throw badTokenizer(`${file}: expected an object, got a list`);
  try {
    const result = v.safeParse(schema, json);
    if (result.success) return result.output;
    const [issue] = result.issues;
    const where = at + (v.getDotPath(issue) ?? '');
    throw badTokenizer(`${file}: ${where.slice(0, 100) || 'the file'}: ${issue.message.slice(0, 200)}`);
  } catch (thrown) {
    if (thrown instanceof LabError) throw thrown;
    throw badTokenizer(`${file}: ${String(thrown).slice(0, 200)}`, undefined, thrown);
  }
}

/**
 * Which piece comes first is told in Rust by places in the text as given: where a normalizer puts characters in front, several
 * pieces may begin at 0. We refuse the combination where it shows.
 */
function checkFirst(normalizer: NormalizerJson | null, preTokenizer: PreTokenizerJson | null): void {
  if (preTokenizer?.type !== 'Sequence') return;
  const inserts = /"type":"(Prepend|BertNormalizer)"/.exec(JSON.stringify(normalizer))?.[1];
  if (inserts === undefined || !JSON.stringify(preTokenizer).includes('"prepend_scheme":"first"')) return;
  throw badTokenizer(
    `tokenizer.json: a Metaspace with prepend_scheme 'first' among other steps is not supported with the normalizer ${inserts}`,
    "Set prepend_scheme to 'always' or 'never'.",
  );
}

/** Lists and objects within each other, counted level by level. The model's own parts are flat and long: not entered. */
function checkDepth(json: unknown): void {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw badTokenizer(`tokenizer.json: expected at most ${maxDepth} nested levels`);
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, inner]) => (key === 'model' ? [] : [inner]))
        : [],
    );
  }
}
