/** @file The bytes of a tensor, piece by piece: read, put into llama.cpp's order, and converted while they are asked for. */
import { throwIfAborted } from '../../errors';
import { bytesPerElement, partOfTensor, type WeightSource } from '../../model/weights';
import { pieceBytes } from '../exported';
import { aligned, bytesOf, elementsOf } from './container';
import { encode, encodeFloats } from './encode';
import type { Content, GgufTensor } from './tensors';

/** Header and tensors as the bytes of a file, in pieces of at most `pieceBytes`; each tensor is padded to its alignment. */
export async function* filePieces(
  head: Uint8Array<ArrayBuffer>,
  tensors: readonly GgufTensor[],
  weights: WeightSource,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  // Many small tensors become one piece.
  let piece = new Uint8Array(pieceBytes);
  let filled = 0;
  const add = function* (bytes: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
    for (let at = 0; at < bytes.byteLength; ) {
      const part = bytes.subarray(at, at + pieceBytes - filled);
      piece.set(part, filled);
      at += part.byteLength;
      filled += part.byteLength;
      if (filled < pieceBytes) continue;
      yield piece;
      piece = new Uint8Array(pieceBytes);
      filled = 0;
    }
  };
  yield* add(head);
  for (const tensor of tensors) {
    throwIfAborted(signal, 'The export');
    for await (const bytes of tensorPieces(tensor, weights, signal)) yield* add(bytes);
    const size = bytesOf(elementsOf(tensor), tensor.type);
    yield* add(new Uint8Array(aligned(size) - size));
  }
  if (filled > 0) yield piece.slice(0, filled);
}

async function* tensorPieces(
  tensor: GgufTensor,
  weights: WeightSource,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { content, type, name } = tensor;
  switch (content.kind) {
    case 'stored':
      yield* storedPieces(tensor, content, weights, signal);
      return;
    case 'values':
      yield encodeFloats(content.values.slice(), type, name);
      return;
    case 'constant': {
      const [elements, step] = [elementsOf(tensor), pieceBytes / 4];
      for (let at = 0; at < elements; at += step) {
        yield encodeFloats(new Float32Array(Math.min(step, elements - at)).fill(content.value), type, name);
      }
      return;
    }
    default:
      return content satisfies never;
  }
}

/** Whole rows at a time, whole heads where their rows change places. */
async function* storedPieces(
  { dims, type, name }: GgufTensor,
  { ref, interleaved, affine }: Extract<Content, { kind: 'stored' }>,
  weights: WeightSource,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const [rows, width = 1] = dims as [number, number?];
  const rowBytes = width * bytesPerElement[ref.dtype];
  const unit = interleaved ?? 1;
  const largest = Math.max(rowBytes, bytesOf(width, type === 'Q8_0' ? 'F16' : type));
  const step = unit * Math.max(1, Math.floor(pieceBytes / (unit * largest)));
  for (let row = 0; row < rows; row += step) {
    throwIfAborted(signal, 'The export');
    const end = Math.min(rows, row + step);
    const part = partOfTensor(ref, row * rowBytes, end * rowBytes);
    const bytes = await weights.read(part, signal);
    const ordered = interleaved === undefined ? bytes : interleave(bytes, interleaved, rowBytes);
    yield encode(ordered, ref.dtype, type, affine, name);
  }
}

/** Rows i and i + headDim/2 of each head become its rows 2i and 2i + 1. */
export function interleave(bytes: Uint8Array<ArrayBuffer>, headDim: number, rowBytes: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.byteLength);
  const half = headDim / 2;
  for (let head = 0; head < bytes.byteLength; head += headDim * rowBytes) {
    for (let row = 0; row < headDim; row += 1) {
      const from = head + ((row % 2) * half + (row >> 1)) * rowBytes;
      out.set(bytes.subarray(from, from + rowBytes), head + row * rowBytes);
    }
  }
  return out;
}
