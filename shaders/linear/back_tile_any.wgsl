// back_tile_any: a block of dY · weight, 4 rows by 4 columns, read element by element: for any sizes and any alignment.
//   dY [·, stride] f32 · weight [·, inner]
// Joined between a weight file and a kernel. Reference: src/numerics/linearBackward.ts

@group(0) @binding(1) var<storage, read> dY: array<vec4f>;

const TILE_ROWS = 4u;
const TILE_COLS = 4u;
// Invocations of a workgroup: columns of tiles by rows of tiles.
const GROUP_COLS = 8u;
const GROUP_ROWS = 8u;

// Products of row i in [i].
alias Tile = array<vec4f, TILE_ROWS>;

fn four_of(tile: ptr<function, Tile>, row: u32, four: u32) -> vec4f {
  return tile[row + four];
}

fn load_dy(index: u32) -> f32 {
  return dY[index / 4u][index % 4u];
}

// Columns col … col + 3 of rows row … of dY[·, cols] from y_first times the `cols` weight rows from w_first. Beyond `last` that row
// repeats, and so do the last columns: the caller stores none of those products.
fn back_tile(row: u32, last: u32, stride: u32, y_first: u32, w_first: u32, cols: u32, col: u32, inner: u32) -> Tile {
  let rows = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(last)) * stride + y_first;
  let at = min(vec4u(col) + vec4u(0u, 1u, 2u, 3u), vec4u(inner - 1u));
  var row0 = vec4f();
  var row1 = vec4f();
  var row2 = vec4f();
  var row3 = vec4f();
  for (var c = 0u; c < cols; c++) {
    let first = vec4u((w_first + c) * inner) + at;
    let w = vec4f(load_weight(first.x), load_weight(first.y), load_weight(first.z), load_weight(first.w));
    row0 += load_dy(rows.x + c) * w;
    row1 += load_dy(rows.y + c) * w;
    row2 += load_dy(rows.z + c) * w;
    row3 += load_dy(rows.w + c) * w;
  }
  return Tile(row0, row1, row2, row3);
}
