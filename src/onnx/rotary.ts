/** @file The rotary embedding's tables, as GroupQueryAttention and RotaryEmbedding read them. */
import { type RopeShape, rotaryTable } from '../numerics/rope';

export interface RotaryTables {
  /** [positions, headDim / 2] */
  cos: Float32Array<ArrayBuffer>;
  /** [positions, headDim / 2] */
  sin: Float32Array<ArrayBuffer>;
}

/** cos and sin of every angle, computed in float64 and rounded once. */
export function rotaryTables(rope: RopeShape, headDim: number, positions: number): RotaryTables {
  const interleaved = rotaryTable(rope, headDim, positions);
  const count = interleaved.length / 2;
  const cos = Float32Array.from({ length: count }, (_, i) => interleaved[2 * i]!);
  const sin = Float32Array.from({ length: count }, (_, i) => interleaved[2 * i + 1]!);
  return { cos, sin };
}
