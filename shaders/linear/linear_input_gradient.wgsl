// linear_input_gradient: dX[r, k] = Σ_c dY[r, c] · weight[weightFirst + c, k], or dX[r, k] += …
//   weight [·, inner] · dY [·, stride], its first `cols` columns · dX [·, inner]; `rows` rows from `first` of both
// One invocation per tile. Joined behind a weight file and a back-tile file. Reference: src/numerics/linearBackward.ts

struct Params {
  rows: u32,
  first: u32,
  cols: u32,
  stride: u32,
  weightFirst: u32,
  inner: u32,
  // 1: add to dX instead of replacing it.
  accumulate: u32,
}

@group(0) @binding(2) var<storage, read_write> dX: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

fn store_four(row: u32, col: u32, values: vec4f) {
  let at = row * params.inner + col;
  for (var i = 0u; i < 4u; i++) {
    if (col + i >= params.inner) {
      return;
    }
    var value = values[i];
    if (params.accumulate == 1u) {
      value += dX[at + i];
    }
    dX[at + i] = value;
  }
}

@compute @workgroup_size(GROUP_COLS, GROUP_ROWS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE_ROWS;
  let col = id.x * TILE_COLS;
  if (row >= params.rows || col >= params.inner) {
    return;
  }
  let last = params.first + params.rows - 1u;
  var tile = back_tile(
    params.first + row, last, params.stride, 0u,
    params.weightFirst, params.cols,
    col, params.inner,
  );
  for (var i = 0u; i < min(TILE_ROWS, params.rows - row); i++) {
    for (var four = 0u; four < TILE_COLS / 4u; four++) {
      store_four(params.first + row + i, col + 4u * four, four_of(&tile, i, four));
    }
  }
}
