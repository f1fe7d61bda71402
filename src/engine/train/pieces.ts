/** @file float32 values of a buffer, read back or written piece by piece. */
import type { EngineParts } from '../pass/runtime';

/** Elements of a piece. */
const pieceElements = 2 ** 22;

export function* inPieces(count: number): Generator<{ first: number; count: number }> {
  for (let first = 0; first < count; first += pieceElements) {
    yield { first, count: Math.min(pieceElements, count - first) };
  }
}

export async function* readPieces(
  { queue }: Pick<EngineParts, 'queue'>,
  buffer: GPUBuffer,
  first: number,
  count: number,
): AsyncGenerator<Float32Array<ArrayBuffer>> {
  for (const piece of inPieces(count)) {
    yield new Float32Array(await queue.read(buffer, piece.count * 4, (first + piece.first) * 4));
  }
}
