// linear: y[r, c] = Σ_k x[r, k] · weight[c, k], or y[r, c] += … for a residual stream
//   weight [cols, inner] · x [·, inner] · y [·, cols], `rows` rows from xFirst and from yFirst
// One invocation per tile. Joined behind a weight file and a tile file. Reference: src/numerics/linear.ts

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  xFirst: u32,
  yFirst: u32,
}

@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

// Add to y instead of replacing it.
override ACCUMULATE = false;

const VECTORS = TILE_COLS / 4u;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE_ROWS;
  let col = id.x * TILE_COLS;
  if (row >= params.rows || col >= params.cols) {
    return;
  }
  var tile = product_tile(params.xFirst + row, params.xFirst + params.rows, col, params.cols, params.inner);
  let rows = min(TILE_ROWS, params.rows - row);
  let cols = min(TILE_COLS, params.cols - col);
  for (var i = 0u; i < rows; i++) {
    let first = (params.yFirst + row + i) * params.cols + col;
    for (var j = 0u; j < cols; j++) {
      let value = tile[i * VECTORS + j / 4u][j % 4u];
      if (ACCUMULATE) {
        y[first + j] += value;
      } else {
        y[first + j] = value;
      }
    }
  }
}
