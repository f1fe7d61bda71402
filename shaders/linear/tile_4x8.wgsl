// tile_4x8: a block of x · weightᵀ, 4 rows by 8 columns, held in the registers of one invocation.
//   x [rows, inner] f32 · weight [cols, inner] · both read by four, so `inner` and the first elements are multiples of 4
// Small enough for any GPU's register file.
// Joined between a weight file and a kernel; tile_any.wgsl takes any `inner`. Reference: src/numerics/linear.ts

@group(0) @binding(1) var<storage, read> x: array<vec4f>;

const TILE_ROWS = 4u;
const TILE_COLS = 8u;

// Products of tile row i: columns 0–3 in [2i], columns 4–7 in [2i + 1].
alias Tile = array<vec4f, 2u * TILE_ROWS>;

// Rows from x_row (x_end is one past the last) times weight rows from w_row (w_end is one past the last).
// Rows beyond the end repeat the last one; the caller stores none of them.
fn product_tile(x_row: u32, x_end: u32, w_row: u32, w_end: u32, inner: u32) -> Tile {
  let steps = inner / 4u;
  let x_last = x_end - 1u;
  let w_last = w_end - 1u;
  let x0 = min(x_row + 0u, x_last) * steps;
  let x1 = min(x_row + 1u, x_last) * steps;
  let x2 = min(x_row + 2u, x_last) * steps;
  let x3 = min(x_row + 3u, x_last) * steps;
  let w0 = min(w_row + 0u, w_last) * steps;
  let w1 = min(w_row + 1u, w_last) * steps;
  let w2 = min(w_row + 2u, w_last) * steps;
  let w3 = min(w_row + 3u, w_last) * steps;
  let w4 = min(w_row + 4u, w_last) * steps;
  let w5 = min(w_row + 5u, w_last) * steps;
  let w6 = min(w_row + 6u, w_last) * steps;
  let w7 = min(w_row + 7u, w_last) * steps;
  var lo0 = vec4f();
  var hi0 = vec4f();
  var lo1 = vec4f();
  var hi1 = vec4f();
  var lo2 = vec4f();
  var hi2 = vec4f();
  var lo3 = vec4f();
  var hi3 = vec4f();
  for (var k = 0u; k < steps; k++) {
    let lo = transpose(mat4x4f(load_weight4(w0 + k), load_weight4(w1 + k), load_weight4(w2 + k), load_weight4(w3 + k)));
    let hi = transpose(mat4x4f(load_weight4(w4 + k), load_weight4(w5 + k), load_weight4(w6 + k), load_weight4(w7 + k)));
    let v0 = x[x0 + k];
    lo0 += lo * v0;
    hi0 += hi * v0;
    let v1 = x[x1 + k];
    lo1 += lo * v1;
    hi1 += hi * v1;
    let v2 = x[x2 + k];
    lo2 += lo * v2;
    hi2 += hi * v2;
    let v3 = x[x3 + k];
    lo3 += lo * v3;
    hi3 += hi * v3;
  }
  return Tile(
    lo0, hi0,
    lo1, hi1,
    lo2, hi2,
    lo3, hi3,
  );
}
