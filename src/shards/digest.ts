/** @file Do a file's bytes have the digest that its source names? */
import { createSHA1, sha256 } from 'hash-wasm';
import type { RepositoryFile } from './repository';

/** What is wrong with the bytes of a file, as 'expected …, got …'; null where nothing is, or nothing is known. */
export async function digestFault(
  { size, sha256: expected, gitId }: Pick<RepositoryFile, 'size' | 'sha256' | 'gitId'>,
  bytes: Uint8Array,
): Promise<string | null> {
  if (size !== null && bytes.length !== size) return `expected ${size} bytes, got ${bytes.length}`;
  const wanted = expected ?? gitId;
  if (wanted === undefined) return null;
  const got = expected === undefined ? await gitObjectId(bytes) : await sha256(bytes);
  return got === wanted ? null : `expected the digest ${wanted}, got ${got}`;
}

/** The name that git gives to a file's content: SHA-1 of 'blob', its length and its bytes. */
async function gitObjectId(bytes: Uint8Array): Promise<string> {
  const hash = await createSHA1();
  return hash.init().update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
