// linear: y[r, c] = Σ_k x[r, k] · weight[c, k], or y[r, c] += … for a residual stream
//   weight [cols, inner] · x [·, inner] · y [·, cols], `rows` rows from xFirst and from yFirst
// One invocation per tile. Joined behind a weight file and a tile file. Reference: src/numerics/linear.ts

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  xFirst: u32,
  yFirst: u32,
  // 1: add to y instead of replacing it.
  accumulate: u32,
}

@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

fn store_half(row: u32, col: u32, values: vec4f) {
  let first = (params.yFirst + row) * params.cols + col;
  for (var i = 0u; i < TILE_HALF; i++) {
    if (col + i >= params.cols) {
      return;
    }
    var value = values[i];
    if (params.accumulate == 1u) {
      value += y[first + i];
    }
    y[first + i] = value;
  }
}

@compute @workgroup_size(GROUP_COLS, GROUP_ROWS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE_ROWS;
  let col = id.x * TILE_COLS;
  let outside = row >= params.rows || col >= params.cols;
  if (may_leave(outside)) {
    return;
  }
  let w_last = params.cols - 1u;
  var tile = product_tile(
    id.xy,
    params.xFirst + row, params.xFirst + params.rows - 1u,
    col, w_last,
    col + TILE_HALF, w_last,
    params.inner,
  );
  if (outside) {
    return;
  }
  for (var i = 0u; i < min(TILE_ROWS, params.rows - row); i++) {
    store_half(row + i, col, first_half(&tile, i));
    store_half(row + i, col + TILE_HALF, second_half(&tile, i));
  }
}
