// head_logits: y[r, colFirst + c] = x[r] · weight[weightFirst + c], the logits of a chunk of the vocabulary
//   weight [·, inner], `cols` rows from weightFirst · x [·, inner], final-normalized · y [·, stride]
//   `rows` rows of x and y from `first`
// Logits pass the soft cap. One invocation per tile. Joined behind a weight file, a tile file and softcap.wgsl.
// Reference: src/numerics/crossEntropy.ts

struct Params {
  rows: u32,
  first: u32,
  inner: u32,
  cols: u32,
  stride: u32,
  weightFirst: u32,
  colFirst: u32,
}

@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

fn store_half(row: u32, col: u32, logits: vec4f) {
  let capped = softcap(logits);
  let first = (params.first + row) * params.stride + params.colFirst + col;
  for (var i = 0u; i < min(TILE_HALF, params.cols - min(col, params.cols)); i++) {
    y[first + i] = capped[i];
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
  let w_last = params.weightFirst + params.cols - 1u;
  var tile = product_tile(
    id.xy,
    params.first + row, params.first + params.rows - 1u,
    params.weightFirst + col, w_last,
    params.weightFirst + col + TILE_HALF, w_last,
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
