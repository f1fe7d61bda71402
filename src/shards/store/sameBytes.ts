/** @file Are two tensors the same bytes? Compared piece by piece, so that no table is ever whole in memory. */
import { LabError, throwIfAborted } from '../../errors';
import type { TensorRef } from '../../model/weights';
import type { PendingLoad } from './pendingLoad';

/** Bytes [begin, end) of a file. */
export type ReadBytes = (file: string, begin: number, end: number) => Promise<Uint8Array>;

const pieceBytes = 2 ** 22;

/** Stops at the first piece that differs. */
export async function sameBytes(a: TensorRef, b: TensorRef, read: ReadBytes, signal?: AbortSignal): Promise<boolean> {
  const length = a.end - a.begin;
  if (a.dtype !== b.dtype || b.end - b.begin !== length) return false;
  for (let at = 0; at < length; at += pieceBytes) {
    throwIfAborted(signal, 'Comparing embedding and head');
    const end = Math.min(at + pieceBytes, length);
    const [left, right] = [
      await read(a.file, a.begin + at, a.begin + end),
      await read(b.file, b.begin + at, b.begin + end),
    ];
    for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  }
  return true;
}

/** Reads the chunks that a load under way has stored. */
export function readerOf(pending: Pick<PendingLoad, 'chunkBytes' | 'readChunk'>): ReadBytes {
  // Neighbouring pieces come from one chunk; two files alternate.
  const held = new Map<string, { index: number; bytes: Uint8Array }>();
  const chunk = async (file: string, index: number): Promise<Uint8Array> => {
    const last = held.get(file);
    if (last?.index === index) return last.bytes;
    const bytes = await pending.readChunk(file, index);
    if (!bytes) {
      const message = `A chunk of ${file} that was just stored cannot be read back.`;
      throw new LabError('storage', message, 'Free disk space, then load the model again.');
    }
    held.set(file, { index, bytes });
    return bytes;
  };
  return async (file, begin, end) => {
    const out = new Uint8Array(end - begin);
    for (let at = begin; at < end; ) {
      const index = Math.floor(at / pending.chunkBytes);
      const start = at - index * pending.chunkBytes;
      const length = Math.min(end - at, pending.chunkBytes - start);
      out.set((await chunk(file, index)).subarray(start, start + length), at - begin);
      at += length;
    }
    return out;
  };
}
