/** @file The soft cap of scores and logits (Bello et al., 2016; Gemma 2): near 0 the value itself, never beyond the cap. */

/** cap · tanh(x / cap); x where there is no cap. */
export function softcap(x: number, cap: number | undefined): number {
  return cap === undefined ? x : cap * Math.tanh(x / cap);
}

/** The slope by what came out, y = softcap(x, cap): 1 − (y / cap)²; 1 where there is no cap. */
export function softcapSlope(y: number, cap: number | undefined): number {
  return cap === undefined ? 1 : 1 - (y / cap) ** 2;
}
