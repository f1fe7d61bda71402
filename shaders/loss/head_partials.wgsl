// head_partials: for each row and chunk of the vocabulary, what a log-sum-exp needs, without storing a logit
//   weight [cols, inner]: the part of the head from vocabFirst · x [·, inner], final-normed, `rows` rows from xFirst
//   targets [·] u32, rows from targetFirst · partials [·, stride] of (largest logit, Σ exp(logit − largest), target's logit, 0)
// One invocation per (row tile, chunk of `chunkCols` columns): it walks the chunk by tiles with an online log-sum-exp.
// The target's logit is 0 in every chunk that does not hold it. Chunks of this part begin at chunkFirst.
// Joined behind a weight file and a tile file. Reference: src/numerics/crossEntropy.ts

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

const VECTORS = TILE_COLS / 4u;
const LOWEST = -3.0e38;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE_ROWS;
  let begin = id.x * params.chunkCols;
  if (row >= params.rows || begin >= params.cols) {
    return;
  }
  let end = min(begin + params.chunkCols, params.cols);
  let rows = min(TILE_ROWS, params.rows - row);
  // (largest, sum, target's logit) of each row
  var state: array<vec3f, TILE_ROWS>;
  for (var i = 0u; i < rows; i++) {
    state[i] = vec3f(LOWEST, 0.0, 0.0);
  }
  for (var col = begin; col < end; col += TILE_COLS) {
    var tile = product_tile(params.xFirst + row, params.xFirst + params.rows, col, end, params.inner);
    for (var i = 0u; i < rows; i++) {
      let target_col = targets[params.targetFirst + row + i] - params.vocabFirst;
      var now = state[i];
      for (var v = 0u; v < VECTORS; v++) {
        let logits = tile[i * VECTORS + v];
        let cols = vec4u(col + 4u * v) + vec4u(0u, 1u, 2u, 3u);
        let inside = cols < vec4u(end);
        let masked = select(vec4f(LOWEST), logits, inside);
        let largest = max(now.x, max(max(masked.x, masked.y), max(masked.z, masked.w)));
        let powers = select(vec4f(), exp(masked - largest), inside);
        let hit = select(vec4f(), logits, inside & (cols == vec4u(target_col)));
        now = vec3f(
          largest,
          now.y * exp(now.x - largest) + powers.x + powers.y + powers.z + powers.w,
          now.z + hit.x + hit.y + hit.z + hit.w,
        );
      }
      state[i] = now;
    }
  }
  for (var i = 0u; i < rows; i++) {
    partials[(row + i) * params.stride + params.chunkFirst + id.x] = vec4f(state[i], 0.0);
  }
}
