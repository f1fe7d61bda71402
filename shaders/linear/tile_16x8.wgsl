// tile_16x8: a block of x · weightᵀ, 16 rows by 4 + 4 columns, held in the registers of one invocation.
//   x [·, inner] f32 · weight [·, inner] · both read by four, so `inner` is a multiple of 4
// Large: a software adapter pays for every load, hardly for registers.
// Joined between tile_by_four.wgsl and a kernel; tile_any.wgsl takes any `inner`. Reference: src/numerics/linear.ts

const TILE_ROWS = 16u;

// Invocations of a workgroup: columns of tiles by rows of tiles.
const GROUP_COLS = 8u;
const GROUP_ROWS = 8u;

// Every invocation works alone: one that has nothing to store may leave before the product.
fn may_leave(outside: bool) -> bool {
  return outside;
}

// Rows from x_row up to x_last times weight rows from w_first and from w_second, up to w_first_last and w_second_last.
// Beyond a last row that row repeats; the caller stores none of those products. `place` is the invocation's in the grid.
fn product_tile(
  place: vec2u,
  x_row: u32,
  x_last: u32,
  w_first: u32,
  w_first_last: u32,
  w_second: u32,
  w_second_last: u32,
  inner: u32,
) -> Tile {
  let steps = inner / 4u;
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
  let a0 = min(w_first + 0u, w_first_last) * steps;
  let a1 = min(w_first + 1u, w_first_last) * steps;
  let a2 = min(w_first + 2u, w_first_last) * steps;
  let a3 = min(w_first + 3u, w_first_last) * steps;
  let b0 = min(w_second + 0u, w_second_last) * steps;
  let b1 = min(w_second + 1u, w_second_last) * steps;
  let b2 = min(w_second + 2u, w_second_last) * steps;
  let b3 = min(w_second + 3u, w_second_last) * steps;
  // include sums_16x8
  for (var k = 0u; k < steps; k++) {
    let a = transpose(mat4x4f(load_weight4(a0 + k), load_weight4(a1 + k), load_weight4(a2 + k), load_weight4(a3 + k)));
    let b = transpose(mat4x4f(load_weight4(b0 + k), load_weight4(b1 + k), load_weight4(b2 + k), load_weight4(b3 + k)));
    let v0 = x[x0 + k];
    first0 += a * v0;
    second0 += b * v0;
    let v1 = x[x1 + k];
    first1 += a * v1;
    second1 += b * v1;
    let v2 = x[x2 + k];
    first2 += a * v2;
    second2 += b * v2;
    let v3 = x[x3 + k];
    first3 += a * v3;
    second3 += b * v3;
    let v4 = x[x4 + k];
    first4 += a * v4;
    second4 += b * v4;
    let v5 = x[x5 + k];
    first5 += a * v5;
    second5 += b * v5;
    let v6 = x[x6 + k];
    first6 += a * v6;
    second6 += b * v6;
    let v7 = x[x7 + k];
    first7 += a * v7;
    second7 += b * v7;
    let v8 = x[x8 + k];
    first8 += a * v8;
    second8 += b * v8;
    let v9 = x[x9 + k];
    first9 += a * v9;
    second9 += b * v9;
    let v10 = x[x10 + k];
    first10 += a * v10;
    second10 += b * v10;
    let v11 = x[x11 + k];
    first11 += a * v11;
    second11 += b * v11;
    let v12 = x[x12 + k];
    first12 += a * v12;
    second12 += b * v12;
    let v13 = x[x13 + k];
    first13 += a * v13;
    second13 += b * v13;
    let v14 = x[x14 + k];
    first14 += a * v14;
    second14 += b * v14;
    let v15 = x[x15 + k];
    first15 += a * v15;
    second15 += b * v15;
  }
  // include result_16x8
}
