/** @file llama2c's tokenizer.bin (which run.c reads) as the JSON of tokenizer.json. */
import { LabError } from '../../errors';
import { type Piece, pieceType, tokenizerJson } from './sentencepiece';

/** Its ids are sentencepiece's: <unk>, <s>, </s>, then the 256 bytes. */
const control = ['<unk>', '<s>', '</s>'];
const firstByte = control.length;
const bytes = 256;
/** Of a piece, in bytes: run.c has room for no longer ones. */
const maxPieceBytes = 2 ** 16;
const maxPieces = 2 ** 22;

/**
 * The file: int32 length of the longest piece; then per id float32 score, int32 length and the piece's bytes, in which
 * sentencepiece's ▁ is a space. It does not say how many there are. Throws 'bad-tokenizer'.
 */
export function llama2cTokenizerJson(file: Uint8Array<ArrayBuffer>, name: string): Record<string, unknown> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const pieces: Piece[] = [];
  let at = 4;
  while (at < file.length) {
    if (at + 8 > file.length) throw bad(name, `the file ends inside piece ${pieces.length}`);
    const score = view.getFloat32(at, true);
    const length = view.getInt32(at + 4, true);
    at += 8;
    if (length < 0 || length > maxPieceBytes || at + length > file.length || pieces.length === maxPieces) {
      throw bad(name, `piece ${pieces.length} has ${length} bytes, but only ${file.length - at} remain`);
    }
    pieces.push(pieceOf(pieces.length, decode(decoder, file.subarray(at, at + length), pieces.length, name), score));
    at += length;
  }
  if (pieces.length < firstByte + bytes) {
    throw bad(name, `expected at least ${firstByte + bytes} pieces, got ${pieces.length}`);
  }
  const byte = pieces.findIndex(({ type, text }) => type === pieceType.byte && !/^<0x[0-9A-F]{2}>$/.test(text));
  if (byte !== -1) throw bad(name, `piece ${byte}: expected a byte such as <0x0A>, got '${pieces[byte]!.text}'`);
  return tokenizerJson(pieces, true, { prefix: true, removeExtra: false });
}

function pieceOf(id: number, text: string, score: number): Piece {
  if (id < firstByte) {
    // The exporter writes line breaks around <s> and </s>, for run.c to print.
    return { text: control[id]!, score, type: id === 0 ? pieceType.unknown : pieceType.control };
  }
  if (id < firstByte + bytes) return { text, score, type: pieceType.byte };
  return { text: text.replaceAll(' ', '▁'), score, type: pieceType.normal };
}

function decode(decoder: TextDecoder, piece: Uint8Array, id: number, name: string): string {
  try {
    return decoder.decode(piece);
  } catch {
    throw bad(name, `piece ${id} is not text`);
  }
}

function bad(name: string, what: string): LabError {
  return new LabError(
    'bad-tokenizer',
    `${name}, read as a llama2.c tokenizer: ${what}.`,
    'Export it with llama2.c’s tokenizer.py, use the tokenizer.model instead, or omit it.',
  );
}
