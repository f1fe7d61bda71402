/** @file A sentencepiece tokenizer.model of BPE with bytes to fall back on (LLaMA's kind) as the JSON of tokenizer.json. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { LabError } from '../../errors';

/** Kinds of pieces, as in sentencepiece_model.proto. */
export const pieceType = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6, unused: 5 };
const bpe = 2;
const modelTypes: Readonly<Record<number, string>> = { 1: 'unigram', 2: 'BPE', 3: 'word', 4: 'char' };
const maxPieces = 2 ** 22;
/** Squares of the pieces' lengths, summed: each place of a piece may be where two others meet. */
const maxMergeWork = 2 ** 27;

export interface Piece {
  text: string;
  score: number;
  type: number;
}

type Visit = (field: number, reader: BinaryReader) => boolean;

/** How the fields that we read are written, by their numbers. */
const { Varint, LengthDelimited, Bit32 } = WireType;
const wires = {
  model: { 1: LengthDelimited, 2: LengthDelimited, 3: LengthDelimited },
  piece: { 1: LengthDelimited, 2: Bit32, 3: Varint },
  trainer: { 3: Varint, 24: Varint, 35: Varint },
  normalizer: { 1: LengthDelimited, 2: LengthDelimited, 3: Varint, 4: Varint, 5: Varint },
} as const;

/** Hands each field of a message to `visit`, which reads it or says false. */
function fields(bytes: Uint8Array, written: Readonly<Record<number, WireType>>, visit: Visit): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    const at = reader.pos;
    if (written[field] !== undefined && written[field] !== wire) throw new Error(`field ${field} has another type`);
    if (!visit(field, reader)) {
      reader.pos = at;
      reader.skip(wire, wire === WireType.StartGroup ? field : undefined);
    }
  }
}

/** The parts of a tokenizer.model that we read. Throws 'bad-tokenizer' for other files. */
export function parseSentencepiece(bytes: Uint8Array) {
  const pieces: Piece[] = [];
  const trainer = { type: 1, byteFallback: false, suffix: false };
  const normalizer = { name: '', charsmap: 0, prefix: true, removeExtra: true, escape: true };
  try {
    fields(bytes, wires.model, (field, reader) => {
      if (field === 1) pieces.push(readPiece(reader.bytes()));
      else if (field === 2) {
        fields(reader.bytes(), wires.trainer, (inner, spec) => {
          if (inner === 3) trainer.type = spec.int32();
          else if (inner === 24) trainer.suffix = spec.bool();
          else if (inner === 35) trainer.byteFallback = spec.bool();
          else return false;
          return true;
        });
      } else if (field === 3) {
        fields(reader.bytes(), wires.normalizer, (inner, spec) => {
          if (inner === 1) normalizer.name = spec.string();
          else if (inner === 2) normalizer.charsmap = spec.bytes().length;
          else if (inner === 3) normalizer.prefix = spec.bool();
          else if (inner === 4) normalizer.removeExtra = spec.bool();
          else if (inner === 5) normalizer.escape = spec.bool();
          else return false;
          return true;
        });
      } else return false;
      return true;
    });
  } catch (cause) {
    throw bad(`not a sentencepiece model (${cause instanceof Error ? cause.message : String(cause)})`, cause);
  }
  if (pieces.length === 0 || pieces.length > maxPieces) {
    throw bad(`expected 1 to ${maxPieces} pieces, got ${pieces.length}`);
  }
  return { pieces, trainer, normalizer };
}

/** Whether the tokens that begin and end a text are put around it. */
export interface Ends {
  readonly bos: boolean;
  readonly eos: boolean;
}

/** The tokenizer.json of a tokenizer.model. Throws 'bad-tokenizer'. */
export function sentencepieceJson(bytes: Uint8Array, ends: Ends = { bos: true, eos: false }): Record<string, unknown> {
  const { pieces, trainer, normalizer } = parseSentencepiece(bytes);
  const fault = faultOf(pieces, trainer.byteFallback);
  if (fault !== null) throw bad(fault);
  if (trainer.type !== bpe) throw bad(`expected a BPE model, got ${modelTypes[trainer.type] ?? trainer.type}`);
  if (normalizer.charsmap > 0) {
    throw bad(`expected no normalization (identity), got '${normalizer.name}' with its own table`);
  }
  // The encoder cuts a text at such symbols first and puts the leading space before every part: other ids than here.
  const symbol = pieces.find(({ type }) => type === pieceType.userDefined);
  if (symbol) throw bad(`expected no user-defined symbols, got '${symbol.text.slice(0, 60)}'`);
  if (!normalizer.escape || trainer.suffix) throw bad('expected spaces written as ▁ in front of words');
  return tokenizerJson(pieces, trainer.byteFallback, normalizer, ends);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function readPiece(bytes: Uint8Array): Piece {
  const piece: Piece = { text: '', score: 0, type: pieceType.normal };
  fields(bytes, wires.piece, (field, reader) => {
    if (field === 1) piece.text = utf8.decode(reader.bytes());
    else if (field === 2) piece.score = reader.float();
    else if (field === 3) piece.type = reader.int32();
    else return false;
    return true;
  });
  return piece;
}

/** The tokenizer.json of pieces in the order of their ids. */
export function tokenizerJson(
  pieces: readonly Piece[],
  byteFallback: boolean,
  { prefix, removeExtra }: { prefix: boolean; removeExtra: boolean },
  ends: Ends = { bos: true, eos: false },
): Record<string, unknown> {
  const work = pieces.reduce((sum, { text }) => sum + text.length ** 2, 0);
  if (work > maxMergeWork) throw bad('its pieces are too long to derive their merges');
  const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });
  const added = pieces.flatMap(({ text, type }, id) => {
    if (type !== pieceType.unknown && type !== pieceType.control) return [];
    return [{ id, content: text, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }];
  });
  return {
    version: '1.0',
    added_tokens: added,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(removeExtra
          ? [replace({ Regex: '(?<![\\s\\S]) +| +(?![\\s\\S])' }, ''), replace({ Regex: ' {2,}' }, ' ')]
          : []),
        // Nothing stays nothing: only a text gets the space in front.
        ...(prefix ? [{ type: 'Prepend', prepend: '▁' }] : []),
        replace({ String: ' ' }, '▁'),
      ],
    },
    pre_tokenizer: null,
    post_processor: aroundText(pieces, ends),
    decoder: {
      type: 'Sequence',
      decoders: [
        replace({ String: '▁' }, ' '),
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      unk_token: pieces.find(({ type }) => type === pieceType.unknown)?.text ?? null,
      fuse_unk: true,
      byte_fallback: byteFallback,
      vocab: Object.fromEntries(pieces.map(({ text }, id) => [text, id])),
      merges: merges(pieces),
    },
  };
}

/** The reason why sentencepiece itself refuses a list of pieces; null if it accepts it. */
function faultOf(pieces: readonly Piece[], byteFallback: boolean): string | null {
  const seen = new Set<string>();
  let bytes = 0;
  for (const [id, { text, score, type }] of pieces.entries()) {
    if (text === '') return `piece ${id} is empty`;
    if (seen.has(text)) return `piece ${id}, '${text.slice(0, 60)}', occurs twice`;
    if (!Number.isFinite(score)) return `piece ${id} has the score ${score}`;
    if (type === pieceType.byte && !/^<0x[0-9A-F]{2}>$/.test(text))
      return `piece ${id}: '${text.slice(0, 60)}' is no byte`;
    if (!Object.values(pieceType).includes(type)) return `piece ${id} is of the unknown kind ${type}`;
    bytes += Number(type === pieceType.byte);
    seen.add(text);
  }
  const unknown = pieces.filter(({ type }) => type === pieceType.unknown).length;
  if (unknown !== 1) return `expected one unknown piece, got ${unknown}`;
  if (byteFallback && bytes !== 256) return `expected 256 byte-fallback pieces, got ${bytes}`;
  return null;
}

/** The template that puts <s> before a text and </s> behind it, as asked for and as far as the pieces are there. */
function aroundText(pieces: readonly Piece[], ends: Ends): object | null {
  const idOf = (token: string): number =>
    pieces.findIndex(({ text, type }) => text === token && type === pieceType.control);
  const [start, end] = [ends.bos ? idOf('<s>') : -1, ends.eos ? idOf('</s>') : -1];
  if (start === -1 && end === -1) return null;
  const special = (token: string, type_id: number) => ({ SpecialToken: { id: token, type_id } });
  const sequence = (part: 'A' | 'B', type_id: number) => [
    ...(start === -1 ? [] : [special('<s>', type_id)]),
    { Sequence: { id: part, type_id } },
    ...(end === -1 ? [] : [special('</s>', type_id)]),
  ];
  const entry = (token: string, id: number) =>
    id === -1 ? {} : { [token]: { id: token, ids: [id], tokens: [token] } };
  return {
    type: 'TemplateProcessing',
    single: sequence('A', 0),
    pair: [...sequence('A', 0), ...sequence('B', 1)],
    special_tokens: { ...entry('<s>', start), ...entry('</s>', end) },
  };
}

/** Every way to put a piece together from two others, the best score first: sentencepiece's merges, as pairs. */
function merges(pieces: readonly Piece[]): [string, string][] {
  const ids = new Map(pieces.flatMap(({ text, type }, id) => (type === pieceType.normal ? [[text, id] as const] : [])));
  const ranked = [...ids].sort(([, a], [, b]) => pieces[b]!.score - pieces[a]!.score || a - b);
  return ranked.flatMap(([text]) => {
    const characters = [...text];
    const pairs: [string, string][] = [];
    for (let at = 1; at < characters.length; at++) {
      const left = characters.slice(0, at).join('');
      const right = characters.slice(at).join('');
      if (ids.has(left) && ids.has(right)) pairs.push([left, right]);
    }
    return pairs;
  });
}

function bad(what: string, cause?: unknown): LabError {
  return new LabError(
    'bad-tokenizer',
    `tokenizer.model: ${what}.`,
    'Load the files from your disk: with the tokenizer.json that transformers writes, or without tokenizer.model.',
    {
      cause,
    },
  );
}
