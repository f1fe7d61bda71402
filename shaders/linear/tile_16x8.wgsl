// tile_16x8: a block of x · weightᵀ, 16 rows by 8 columns, held in the registers of one invocation.
//   x [rows, inner] f32 · weight [cols, inner] · both read by four, so `inner` and the first elements are multiples of 4
// Large: a software adapter pays for every load, hardly for registers.
// Joined between a weight file and a kernel; tile_any.wgsl takes any `inner`. Reference: src/numerics/linear.ts

@group(0) @binding(1) var<storage, read> x: array<vec4f>;

const TILE_ROWS = 16u;
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
  let x4 = min(x_row + 4u, x_last) * steps;
  let x5 = min(x_row + 5u, x_last) * steps;
  let x6 = min(x_row + 6u, x_last) * steps;
  let x7 = min(x_row + 7u, x_last) * steps;
  let x8 = min(x_row + 8u, x_last) * steps;
  let x9 = min(x_row + 9u, x_last) * steps;
  let x10 = min(x_row + 10u, x_last) * steps;
  let x11 = min(x_row + 11u, x_last) * steps;
  let x12 = min(x_row + 12u, x_last) * steps;
  let x13 = min(x_row + 13u, x_last) * steps;
  let x14 = min(x_row + 14u, x_last) * steps;
  let x15 = min(x_row + 15u, x_last) * steps;
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
  var lo4 = vec4f();
  var hi4 = vec4f();
  var lo5 = vec4f();
  var hi5 = vec4f();
  var lo6 = vec4f();
  var hi6 = vec4f();
  var lo7 = vec4f();
  var hi7 = vec4f();
  var lo8 = vec4f();
  var hi8 = vec4f();
  var lo9 = vec4f();
  var hi9 = vec4f();
  var lo10 = vec4f();
  var hi10 = vec4f();
  var lo11 = vec4f();
  var hi11 = vec4f();
  var lo12 = vec4f();
  var hi12 = vec4f();
  var lo13 = vec4f();
  var hi13 = vec4f();
  var lo14 = vec4f();
  var hi14 = vec4f();
  var lo15 = vec4f();
  var hi15 = vec4f();
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
    let v4 = x[x4 + k];
    lo4 += lo * v4;
    hi4 += hi * v4;
    let v5 = x[x5 + k];
    lo5 += lo * v5;
    hi5 += hi * v5;
    let v6 = x[x6 + k];
    lo6 += lo * v6;
    hi6 += hi * v6;
    let v7 = x[x7 + k];
    lo7 += lo * v7;
    hi7 += hi * v7;
    let v8 = x[x8 + k];
    lo8 += lo * v8;
    hi8 += hi * v8;
    let v9 = x[x9 + k];
    lo9 += lo * v9;
    hi9 += hi * v9;
    let v10 = x[x10 + k];
    lo10 += lo * v10;
    hi10 += hi * v10;
    let v11 = x[x11 + k];
    lo11 += lo * v11;
    hi11 += hi * v11;
    let v12 = x[x12 + k];
    lo12 += lo * v12;
    hi12 += hi * v12;
    let v13 = x[x13 + k];
    lo13 += lo * v13;
    hi13 += hi * v13;
    let v14 = x[x14 + k];
    lo14 += lo * v14;
    hi14 += hi * v14;
    let v15 = x[x15 + k];
    lo15 += lo * v15;
    hi15 += hi * v15;
  }
  return Tile(
    lo0, hi0,
    lo1, hi1,
    lo2, hi2,
    lo3, hi3,
    lo4, hi4,
    lo5, hi5,
    lo6, hi6,
    lo7, hi7,
    lo8, hi8,
    lo9, hi9,
    lo10, hi10,
    lo11, hi11,
    lo12, hi12,
    lo13, hi13,
    lo14, hi14,
    lo15, hi15,
  );
}
