// swiglu: y[r, c] = activate(x[r] · gate[c]) · (x[r] · up[c]), both projections and the activation in one kernel
//   weight [2·ffn, inner]: gate rows, then up rows · x [·, inner] and y [·, ffn], `rows` rows from xFirst and from yFirst
// One invocation per tile: the first half of its columns are gates, the second half the ups of the same neurons.
// Joined behind a weight file, a tile file and silu.wgsl or gelu_tanh.wgsl. Reference: src/numerics/swiglu.ts, geglu.ts

struct Params {
  rows: u32,
  inner: u32,
  ffn: u32,
  xFirst: u32,
  yFirst: u32,
}

@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(GROUP_COLS, GROUP_ROWS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE_ROWS;
  let col = id.x * TILE_HALF;
  let outside = row >= params.rows || col >= params.ffn;
  if (may_leave(outside)) {
    return;
  }
  var tile = product_tile(
    id.xy,
    params.xFirst + row, params.xFirst + params.rows - 1u,
    col, params.ffn - 1u,
    params.ffn + col, 2u * params.ffn - 1u,
    params.inner,
  );
  if (outside) {
    return;
  }
  for (var i = 0u; i < min(TILE_ROWS, params.rows - row); i++) {
    let values = activate4(first_half(&tile, i)) * second_half(&tile, i);
    let first = (params.yFirst + row + i) * params.ffn + col;
    for (var j = 0u; j < min(TILE_HALF, params.ffn - col); j++) {
      y[first + j] = values[j];
    }
  }
}
