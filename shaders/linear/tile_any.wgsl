// tile_any: a block of x · weightᵀ, 4 rows by 2 + 2 columns, read element by element: for any `inner` and any alignment.
//   x [·, inner] f32 · weight [·, inner]
// Joined between a weight file and a kernel. Reference: src/numerics/linear.ts

@group(0) @binding(1) var<storage, read> x: array<vec4f>;

const TILE_ROWS = 4u;
// Columns of a tile: two halves, whose weight rows need not be neighbours.
const TILE_HALF = 2u;
const TILE_COLS = 2u * TILE_HALF;

// Invocations of a workgroup: columns of tiles by rows of tiles.
const GROUP_COLS = 8u;
const GROUP_ROWS = 8u;

// Every invocation works alone: one that has nothing to store may leave before the product.
fn may_leave(outside: bool) -> bool {
  return outside;
}

// Products of row i: both halves of the columns in [i].
alias Tile = array<vec4f, TILE_ROWS>;

fn first_half(tile: ptr<function, Tile>, row: u32) -> vec4f {
  return vec4f(tile[row].xy, 0.0, 0.0);
}

fn second_half(tile: ptr<function, Tile>, row: u32) -> vec4f {
  return vec4f(tile[row].zw, 0.0, 0.0);
}

fn load_x(index: u32) -> f32 {
  return x[index / 4u][index % 4u];
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
  let xs = min(vec4u(x_row) + vec4u(0u, 1u, 2u, 3u), vec4u(x_last)) * inner;
  let a = min(vec2u(w_first) + vec2u(0u, 1u), vec2u(w_first_last)) * inner;
  let b = min(vec2u(w_second) + vec2u(0u, 1u), vec2u(w_second_last)) * inner;
  var row0 = vec4f();
  var row1 = vec4f();
  var row2 = vec4f();
  var row3 = vec4f();
  for (var k = 0u; k < inner; k++) {
    let w = vec4f(load_weight(a.x + k), load_weight(a.y + k), load_weight(b.x + k), load_weight(b.y + k));
    row0 += load_x(xs.x + k) * w;
    row1 += load_x(xs.y + k) * w;
    row2 += load_x(xs.z + k) * w;
    row3 += load_x(xs.w + k) * w;
  }
  return Tile(row0, row1, row2, row3);
}
