/** @file Do a file's bytes have the digest that its source names? */
import { createSHA1, createSHA256, type IHasher, sha256 } from 'hash-wasm';
import type { RepositoryFile } from './repository';

/** The fault of a file's bytes, as 'expected …, got …'; null if there is none or if it is unknown. */
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

/** A digest of a file's bytes, as its source states it. */
export interface FileDigest {
  readonly kind: 'sha256' | 'git';
  /** Hexadecimal. */
  readonly hex: string;
}

/** The digest in a file's list entry; null if there is none. */
export function digestOf({ sha256: whole, gitId }: Pick<RepositoryFile, 'sha256' | 'gitId'>): FileDigest | null {
  if (whole !== undefined) return { kind: 'sha256', hex: whole };
  return gitId === undefined ? null : { kind: 'git', hex: gitId };
}

/** Takes a file's bytes and gives the digest of that kind. */
export async function hasherFor(kind: FileDigest['kind'], size: number): Promise<IHasher> {
  if (kind === 'sha256') return (await createSHA256()).init();
  // The name that git gives to a file's content: SHA-1 of 'blob', its length and its bytes.
  return (await createSHA1()).init().update(`blob ${size}\0`);
}

async function gitObjectId(bytes: Uint8Array): Promise<string> {
  return (await hasherFor('git', bytes.length)).update(bytes).digest('hex');
}
