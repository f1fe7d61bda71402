// tile_any: a block of x · weightᵀ, 4 rows by 4 columns, read element by element: for any `inner` and any alignment.
//   x [rows, inner] f32 · weight [cols, inner]
// Joined between a weight file and a kernel. Reference: src/numerics/linear.ts

@group(0) @binding(1) var<storage, read> x: array<vec4f>;

const TILE_ROWS = 4u;
const TILE_COLS = 4u;

// Products of tile row i: columns 0–3 in [i].
alias Tile = array<vec4f, TILE_ROWS>;

fn load_x(index: u32) -> f32 {
  return x[index / 4u][index % 4u];
}

// Rows from x_row (x_end is one past the last) times weight rows from w_row (w_end is one past the last).
// Rows beyond the end repeat the last one; the caller stores none of them.
fn product_tile(x_row: u32, x_end: u32, w_row: u32, w_end: u32, inner: u32) -> Tile {
  let x_rows = min(vec4u(x_row) + vec4u(0u, 1u, 2u, 3u), vec4u(x_end - 1u)) * inner;
  let w_rows = min(vec4u(w_row) + vec4u(0u, 1u, 2u, 3u), vec4u(w_end - 1u)) * inner;
  var row0 = vec4f();
  var row1 = vec4f();
  var row2 = vec4f();
  var row3 = vec4f();
  for (var k = 0u; k < inner; k++) {
    let w = vec4f(load_weight(w_rows.x + k), load_weight(w_rows.y + k), load_weight(w_rows.z + k), load_weight(w_rows.w + k));
    row0 += load_x(x_rows.x + k) * w;
    row1 += load_x(x_rows.y + k) * w;
    row2 += load_x(x_rows.z + k) * w;
    row3 += load_x(x_rows.w + k) * w;
  }
  return Tile(row0, row1, row2, row3);
}
