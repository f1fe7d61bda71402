/** @file Rotary position embedding (Su et al., 2021) in Hugging Face's arrangement: channel i turns with i + headDim/2. */

/** Angle in radians of channel pair `pair` at `position`: position · theta^(−2·pair/headDim). */
export function ropeAngle(position: number, pair: number, headDim: number, theta: number): number {
  return position * theta ** ((-2 * pair) / headDim);
}

/** cos and sin of every angle, interleaved: [positions, headDim/2, 2]. */
export function ropeTable(positions: number, headDim: number, theta: number): Float64Array {
  const pairs = headDim / 2;
  const table = new Float64Array(positions * headDim);
  for (let position = 0; position < positions; position++) {
    for (let pair = 0; pair < pairs; pair++) {
      const angle = ropeAngle(position, pair, headDim, theta);
      table[(position * pairs + pair) * 2] = Math.cos(angle);
      table[(position * pairs + pair) * 2 + 1] = Math.sin(angle);
    }
  }
  return table;
}

/** Turns x[seqLen, heads, headDim] in place; the row is the position, counted from 0. */
export function rope(x: Float64Array, heads: number, headDim: number, theta: number): Float64Array {
  const half = headDim / 2;
  const seqLen = x.length / (heads * headDim);
  const table = ropeTable(seqLen, headDim, theta);
  for (let row = 0; row < seqLen; row++) {
    for (let head = 0; head < heads; head++) {
      const first = (row * heads + head) * headDim;
      for (let pair = 0; pair < half; pair++) {
        const cos = table[(row * half + pair) * 2]!;
        const sin = table[(row * half + pair) * 2 + 1]!;
        const a = x[first + pair]!;
        const b = x[first + pair + half]!;
        x[first + pair] = a * cos - b * sin;
        x[first + pair + half] = b * cos + a * sin;
      }
    }
  }
  return x;
}
