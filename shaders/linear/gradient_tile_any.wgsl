// gradient_tile_any: a block of dYᵀ · x, 4 weight rows by 4 columns, read element by element: for any sizes and alignment.
//   x [rows, inner] · dY [rows, stride]
// Joined between a weight file and a kernel. Reference: src/numerics/linearBackward.ts

@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> dY: array<vec4f>;

// Weight rows of a tile.
const TILE_ROWS = 4u;
const TILE_COLS = 4u;
// Invocations of a workgroup: columns of tiles by rows of tiles.
const GROUP_COLS = 8u;
const GROUP_ROWS = 8u;

// Gradients of weight row i in [i].
alias Tile = array<vec4f, TILE_ROWS>;

fn four_of(tile: ptr<function, Tile>, row: u32, four: u32) -> vec4f {
  return tile[row + four];
}

// Four elements of the weight from element `at`.
fn weight_four(at: u32) -> vec4f {
  return vec4f(load_weight(at), load_weight(at + 1u), load_weight(at + 2u), load_weight(at + 3u));
}

fn load_x(index: u32) -> f32 {
  return x[index / 4u][index % 4u];
}

fn load_dy(index: u32) -> f32 {
  return dY[index / 4u][index % 4u];
}

// Columns c … of dY, up to c_last, against columns k … k + 3 of x, over `rows` rows. What lies beyond a last column
// repeats others; the caller uses none of it.
fn gradient_tile(c: u32, c_last: u32, stride: u32, k: u32, inner: u32, rows: u32) -> Tile {
  var ys = min(vec4u(c) + vec4u(0u, 1u, 2u, 3u), vec4u(c_last));
  var xs = min(vec4u(k) + vec4u(0u, 1u, 2u, 3u), vec4u(inner - 1u));
  var row0 = vec4f();
  var row1 = vec4f();
  var row2 = vec4f();
  var row3 = vec4f();
  for (var row = 0u; row < rows; row++) {
    let four = vec4f(load_x(xs.x), load_x(xs.y), load_x(xs.z), load_x(xs.w));
    row0 += load_dy(ys.x) * four;
    row1 += load_dy(ys.y) * four;
    row2 += load_dy(ys.z) * four;
    row3 += load_dy(ys.w) * four;
    xs += vec4u(inner);
    ys += vec4u(stride);
  }
  return Tile(row0, row1, row2, row3);
}
