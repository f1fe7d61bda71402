// finite: what is infinite or not a number, told by its bits
// A compiler may assume that neither occurs, so that comparisons, min, max and clamp may drop them: a number would come out that
// looks like any other. Integers are safe. Joined in front of a kernel. Tests: src/engine/kernels/nonFinite.gpu.test.ts

const EXPONENT = 0x7f800000u;
const QUIET_NAN = 0x7fc00000u;

fn is_finite(value: f32) -> bool {
  return (bitcast<u32>(value) & EXPONENT) != EXPONENT;
}

// The value, or NaN where it is broken.
fn nan_where(value: f32, broken: bool) -> f32 {
  return bitcast<f32>(bitcast<u32>(value) | select(0u, QUIET_NAN, broken));
}

// 1 / √value; NaN where the value is not finite: by 0, the root's limit, a norm would turn what overflowed into nothing.
fn inverse_root(value: f32) -> f32 {
  return nan_where(1.0 / sqrt(value), !is_finite(value));
}
