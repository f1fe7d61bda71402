// head_gradient: dLogits[r, c] = dNll[r] · (exp(logit − lse[r]) − [vocabFirst + c is the target]), for a chunk of the vocabulary
//   weight [·, inner], `cols` rows from weightFirst · x [·, inner], final-normalized · targets [·] u32 · lse, dNll [·]
//   dLogits [·, stride], 0 in the columns from cols on; `rows` rows from `first` of all
// Logits pass the soft cap, by whose slope their gradient is multiplied. They are recomputed: only so many columns exist at a
// time. One invocation per tile. Joined behind a weight file, a tile file and softcap.wgsl.
// Reference: src/numerics/crossEntropyBackward.ts

struct Params {
  rows: u32,
  first: u32,
  inner: u32,
  cols: u32,
  stride: u32,
  weightFirst: u32,
  vocabFirst: u32,
}

@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> dNll: array<f32>;
@group(0) @binding(5) var<storage, read_write> dLogits: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

fn store_half(row: u32, col: u32, logits: vec4f) {
  let token = params.first + row;
  let target_col = targets[token] - params.vocabFirst;
  let hit = vec4u(col) + vec4u(0u, 1u, 2u, 3u) == vec4u(target_col);
  let shares = exp(softcap(logits) - lse[token]) - select(vec4f(), vec4f(1.0), hit);
  let gradients = softcap_gradient(dNll[token] * shares, logits);
  for (var i = 0u; i < min(TILE_HALF, params.stride - min(col, params.stride)); i++) {
    dLogits[token * params.stride + col + i] = select(0.0, gradients[i], col + i < params.cols);
  }
}

@compute @workgroup_size(GROUP_COLS, GROUP_ROWS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE_ROWS;
  let col = id.x * TILE_COLS;
  let outside = row >= params.rows || col >= params.stride;
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
