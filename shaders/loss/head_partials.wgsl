// head_partials: for each row and chunk of the vocabulary, what a log-sum-exp needs, without storing a logit
//   weight [cols, inner]: the part of the head from vocabFirst · x [·, inner], final-normalized, `rows` rows from xFirst
//   targets [·] u32, rows from targetFirst · partials [·, stride] of (largest logit, Σ exp(logit − largest), target's logit, 0)
// One invocation per (row tile, chunk of `chunkCols` columns): it walks the chunk by tiles with an online log-sum-exp.
// The target's logit is 0 in every chunk that does not hold it. Chunks of this part begin at chunkFirst.
// Logits pass the soft cap.
// Joined behind a weight file, a tile file and softcap.wgsl. Reference: src/numerics/crossEntropy.ts

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  xFirst: u32,
  targetFirst: u32,
  vocabFirst: u32,
  chunkCols: u32,
  chunkFirst: u32,
  stride: u32,
}

@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

const LOWEST = -3.0e38;

// Takes logits of columns col … col + TILE_HALF − 1 into (largest, sum, target's logit); columns from `end` do not count.
fn take(state: vec3f, logits: vec4f, col: u32, end: u32, target_col: u32) -> vec3f {
  let offsets = vec4u(0u, 1u, 2u, 3u);
  let cols = vec4u(col) + offsets;
  let inside = (cols < vec4u(end)) & (offsets < vec4u(TILE_HALF));
  let masked = select(vec4f(LOWEST), logits, inside);
  let largest = max(state.x, max(max(masked.x, masked.y), max(masked.z, masked.w)));
  let powers = select(vec4f(), exp(masked - largest), inside);
  let hit = select(vec4f(), logits, inside & (cols == vec4u(target_col)));
  return vec3f(
    largest,
    state.y * exp(state.x - largest) + dot(powers, vec4f(1.0)),
    state.z + dot(hit, vec4f(1.0)),
  );
}

@compute @workgroup_size(GROUP_COLS, GROUP_ROWS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE_ROWS;
  let begin = id.x * params.chunkCols;
  let outside = row >= params.rows || begin >= params.cols;
  if (may_leave(outside)) {
    return;
  }
  let end = min(begin + params.chunkCols, params.cols);
  let rows = select(min(TILE_ROWS, params.rows - row), 0u, outside);
  var states: array<vec3f, TILE_ROWS>;
  for (var i = 0u; i < rows; i++) {
    states[i] = vec3f(LOWEST, 0.0, 0.0);
  }
  // All chunks take the same number of steps, so that tiles may be shared; a shorter chunk's last ones count nothing.
  for (var step = 0u; step < params.chunkCols; step += TILE_COLS) {
    let col = begin + step;
    if (may_leave(col >= end)) {
      break;
    }
    var tile = product_tile(
      id.xy,
      params.xFirst + row, params.xFirst + params.rows - 1u,
      col, end - 1u,
      col + TILE_HALF, end - 1u,
      params.inner,
    );
    for (var i = 0u; i < rows; i++) {
      let target_col = targets[params.targetFirst + row + i] - params.vocabFirst;
      let state = take(states[i], softcap(first_half(&tile, i)), col, end, target_col);
      states[i] = take(state, softcap(second_half(&tile, i)), col + TILE_HALF, end, target_col);
    }
  }
  for (var i = 0u; i < rows; i++) {
    partials[(row + i) * params.stride + params.chunkFirst + id.x] = vec4f(states[i], 0.0);
  }
}
