/** @file A sentencepiece tokenizer.model of BPE with bytes to fall back on (LLaMA's kind) as the JSON of tokenizer.json. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { LabError } from '../errors';

/** Kinds of pieces, as in sentencepiece_model.proto. */
export const pieceType = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6, unused: 5 };
const bpe = 2;
const modelTypes: Readonly<Record<number, string>> = { 1: 'unigram', 2: 'BPE', 3: 'word', 4: 'char' };
const maxPieces = 2 ** 22;

export interface Piece {
  text: string;
  score: number;
  type: number;
}

type Visit = (field: number, reader: BinaryReader) => boolean;

/** Hands each field of a message to `visit`, which reads it or says false. */
function fields(bytes: Uint8Array, visit: Visit): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    const at = reader.pos;
    if (!visit(field, reader)) {
      reader.pos = at;
      reader.skip(wire, wire === WireType.StartGroup ? field : undefined);
    }
  }
}

/** The parts of a tokenizer.model that we read. Throws 'bad-tokenizer' for what is none. */
export function parseSentencepiece(bytes: Uint8Array) {
  const pieces: Piece[] = [];
  const trainer = { type: 1, byteFallback: false, suffix: false };
  const normalizer = { name: '', charsmap: 0, prefix: true, removeExtra: true, escape: true };
  try {
    fields(bytes, (field, reader) => {
      if (field === 1) pieces.push(readPiece(reader.bytes()));
      else if (field === 2) {
        fields(reader.bytes(), (inner, spec) => {
          if (inner === 3) trainer.type = spec.int32();
          else if (inner === 24) trainer.suffix = spec.bool();
          else if (inner === 35) trainer.byteFallback = spec.bool();
          else return false;
          return true;
        });
      } else if (field === 3) {
        fields(reader.bytes(), (inner, spec) => {
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

/** What tokenizer.json would say for a tokenizer.model. Throws 'bad-tokenizer'. */
export function sentencepieceJson(bytes: Uint8Array): Record<string, unknown> {
  const { pieces, trainer, normalizer } = parseSentencepiece(bytes);
  if (trainer.type !== bpe) throw bad(`expected a BPE model, got ${modelTypes[trainer.type] ?? trainer.type}`);
  if (normalizer.charsmap > 0) {
    throw bad(`expected text as it is (identity), got the normalization '${normalizer.name}' with a table of its own`);
  }
  // The encoder cuts a text at such symbols first and puts the leading space before every part: other ids than here.
  const symbol = pieces.find(({ type }) => type === pieceType.userDefined);
  if (symbol) throw bad(`expected no user-defined symbols, got '${symbol.text.slice(0, 60)}'`);
  if (!normalizer.escape || trainer.suffix) throw bad('expected spaces written as ▁ in front of words');
  return tokenizerJson(pieces, trainer.byteFallback, normalizer);
}

function readPiece(bytes: Uint8Array): Piece {
  const piece: Piece = { text: '', score: 0, type: pieceType.normal };
  fields(bytes, (field, reader) => {
    if (field === 1) piece.text = reader.string();
    else if (field === 2) piece.score = reader.float();
    else if (field === 3) piece.type = reader.int32();
    else return false;
    return true;
  });
  return piece;
}

/** What tokenizer.json would say for pieces in the order of their ids. */
export function tokenizerJson(
  pieces: readonly Piece[],
  byteFallback: boolean,
  { prefix, removeExtra }: { prefix: boolean; removeExtra: boolean },
): Record<string, unknown> {
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
        // As in tokenizer.json, ^ would stand at every line's start. Nothing stays nothing: only a text gets the space in front.
        ...(prefix ? [replace({ Regex: '(?<![\\s\\S])(?=[\\s\\S])' }, '▁')] : []),
        replace({ String: ' ' }, '▁'),
      ],
    },
    pre_tokenizer: null,
    post_processor: startOfText(pieces),
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

/** transformers' LLaMA tokenizer puts <s> before a text unless tokenizer_config.json says `add_bos_token: false`. */
function startOfText(pieces: readonly Piece[]): object | null {
  const token = '<s>';
  const id = pieces.findIndex(({ text, type }) => text === token && type === pieceType.control);
  if (id === -1) return null;
  const sequence = (part: 'A' | 'B', type_id: number) => [
    { SpecialToken: { id: token, type_id } },
    { Sequence: { id: part, type_id } },
  ];
  return {
    type: 'TemplateProcessing',
    single: sequence('A', 0),
    pair: [...sequence('A', 0), ...sequence('B', 1)],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

/** Every way to put a piece together from two others, the best score first: what sentencepiece merges, as pairs. */
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
