/**
 * @file Compares files on this device with stored models: a digest of samples finds the candidate, its bytes decide.
 */
import { createSHA256 } from 'hash-wasm';
import { LabError, throwIfAborted } from '../../errors';
import type { TaskOptions } from '../../task';
import type { StoredModel } from '../store/manifest';
import type { ShardStore } from '../store/shardStore';

/** A file of up to so many bytes is digested whole; of a larger one the beginning, the end and what lies between. */
const wholeBytes = 2 ** 25;
const edgeBytes = 2 ** 20;
const sampleBytes = 2 ** 16;
const samples = 64;

/** Size and SHA-256 of a file, or of samples of a large one: tells most versions apart without reading all. */
export async function sampleDigest(file: File): Promise<string> {
  const hash = (await createSHA256()).init();
  for (const [begin, end] of file.size <= wholeBytes ? [[0, file.size] as const] : sampledRanges(file.size)) {
    hash.update(await bytesOf(file, begin, end));
  }
  return `${file.size} ${hash.digest('hex')}`;
}

function sampledRanges(size: number): (readonly [number, number])[] {
  const between = size - 2 * edgeBytes - sampleBytes;
  const ranges = Array.from({ length: samples }, (_, i) => {
    const begin = edgeBytes + Math.floor((between * i) / (samples - 1));
    return [begin, begin + sampleBytes] as const;
  });
  return [[0, edgeBytes], ...ranges, [size - edgeBytes, size]];
}

/**
 * Compares each stored file with the chosen one of its name, byte by byte. Files that were made of others (a tokenizer in
 * another form) are not among the chosen ones; what they were made of is part of the samples.
 */
export async function sameFiles(
  files: ReadonlyMap<string, File>,
  stored: StoredModel,
  store: ShardStore,
  { signal, onProgress }: TaskOptions,
): Promise<boolean> {
  const large = stored.files.filter(({ name, size }) => files.has(name) && size > wholeBytes);
  const total = large.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const { name, size } of large) {
    const file = files.get(name)!;
    if (file.size !== size) return false;
    for (let begin = 0; begin < size; begin += stored.chunkBytes) {
      throwIfAborted(signal, 'The load');
      const end = Math.min(size, begin + stored.chunkBytes);
      const [chosen, kept] = await Promise.all([bytesOf(file, begin, end), readKept(store, stored, name, begin, end)]);
      // What cannot be read back is seen, said and brought again when the copy is opened.
      if (kept !== null && !equal(chosen, kept)) return false;
      done += end - begin;
      onProgress?.({ stage: 'comparing with the stored copy', done, total, unit: 'bytes' });
    }
  }
  return true;
}

async function readKept(store: ShardStore, stored: StoredModel, name: string, begin: number, end: number) {
  return store.read(stored, name, begin, end).catch((thrown: unknown) => {
    if (thrown instanceof LabError && thrown.code === 'storage') return null;
    throw thrown;
  });
}

function equal(a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>): boolean {
  if (a.length !== b.length) return false;
  const words = Math.floor(a.length / 4);
  const [left, right] = [new Uint32Array(a.buffer, 0, words), new Uint32Array(b.buffer, 0, words)];
  for (let i = 0; i < words; i += 1) if (left[i] !== right[i]) return false;
  for (let i = 4 * words; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

async function bytesOf(file: File, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  const part = await file
    .slice(begin, end)
    .arrayBuffer()
    .catch((cause: unknown) => {
      const message = `${file.name} cannot be read (${String(cause)}).`;
      throw new LabError('bad-source', message, 'Choose the files again.', { cause });
    });
  return new Uint8Array(part);
}
