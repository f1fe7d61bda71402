/** @file The positions of each token in a batch, which a deterministic scatter by token needs. */
import type { Batch } from './sequences';

/** Token tokens[u] stands at positions[starts[u]] … positions[starts[u + 1] − 1], rows of the batch in rising order. */
export interface TokenUses {
  /** Distinct token ids in rising order. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** [tokens.length + 1] */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** Every row that is no padding, once. */
  readonly positions: Uint32Array<ArrayBuffer>;
}

export function tokenUses({ lengths, seqLen, tokens }: Pick<Batch, 'lengths' | 'seqLen' | 'tokens'>): TokenUses {
  const rows = lengths.flatMap((length, sequence) => Array.from({ length }, (_, i) => sequence * seqLen + i));
  const positions = Uint32Array.from(rows.sort((a, b) => tokens[a]! - tokens[b]! || a - b));
  const starts = Array.from(positions.keys()).filter(
    (i) => i === 0 || tokens[positions[i]!] !== tokens[positions[i - 1]!],
  );
  return {
    tokens: Uint32Array.from(starts, (start) => tokens[positions[start]!]!),
    starts: Uint32Array.from([...starts, positions.length]),
    positions,
  };
}
