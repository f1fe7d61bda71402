// divergence_partials: for each row and chunk of the vocabulary, what KL(p ‖ q) needs, without storing a logit
//   weight [cols, inner]: a part of the head · x [·, inner], final-normalized: rows from pFirst give p's logits, rows from qFirst q's
//   partials [·, stride, 2]: of p (largest logit, Σ w, Σ w · (p's logit − q's)) with w = exp(logit − largest), of q (largest logit, Σ w)
// One invocation per (row tile, chunk of `chunkCols` columns): it walks the chunk by tiles with online sums.
// Chunks of this part begin at chunkFirst. Logits pass the soft cap.
// Joined behind a weight file, a tile file and softcap.wgsl. Reference: src/numerics/divergence.ts

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  pFirst: u32,
  qFirst: u32,
  chunkCols: u32,
  chunkFirst: u32,
  stride: u32,
}

@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

const LOWEST = -3.0e38;

// p's (largest, Σ w, Σ w · difference) and q's (largest, Σ w).
struct State {
  p: vec3f,
  q: vec2f,
}

// Takes the logits of columns col … col + TILE_HALF − 1; columns from `end` do not count.
fn take(state: State, p: vec4f, q: vec4f, col: u32, end: u32) -> State {
  let offsets = vec4u(0u, 1u, 2u, 3u);
  let inside = (vec4u(col) + offsets < vec4u(end)) & (offsets < vec4u(TILE_HALF));
  let p_masked = select(vec4f(LOWEST), p, inside);
  let q_masked = select(vec4f(LOWEST), q, inside);
  let p_largest = max(state.p.x, max(max(p_masked.x, p_masked.y), max(p_masked.z, p_masked.w)));
  let q_largest = max(state.q.x, max(max(q_masked.x, q_masked.y), max(q_masked.z, q_masked.w)));
  let p_powers = select(vec4f(), exp(p_masked - p_largest), inside);
  let q_powers = select(vec4f(), exp(q_masked - q_largest), inside);
  let difference = select(vec4f(), p - q, inside);
  let fade = exp(state.p.x - p_largest);
  return State(
    vec3f(
      p_largest,
      state.p.y * fade + dot(p_powers, vec4f(1.0)),
      state.p.z * fade + dot(p_powers, difference),
    ),
    vec2f(q_largest, state.q.y * exp(state.q.x - q_largest) + dot(q_powers, vec4f(1.0))),
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
  var states: array<State, TILE_ROWS>;
  for (var i = 0u; i < rows; i++) {
    states[i] = State(vec3f(LOWEST, 0.0, 0.0), vec2f(LOWEST, 0.0));
  }
  // All chunks take the same number of steps, so that tiles may be shared; a shorter chunk's last ones count nothing.
  for (var step = 0u; step < params.chunkCols; step += TILE_COLS) {
    let col = begin + step;
    if (may_leave(col >= end)) {
      break;
    }
    var p = product_tile(
      id.xy,
      params.pFirst + row, params.pFirst + params.rows - 1u,
      col, end - 1u,
      col + TILE_HALF, end - 1u,
      params.inner,
    );
    var q = product_tile(
      id.xy,
      params.qFirst + row, params.qFirst + params.rows - 1u,
      col, end - 1u,
      col + TILE_HALF, end - 1u,
      params.inner,
    );
    for (var i = 0u; i < rows; i++) {
      let state = take(states[i], softcap(first_half(&p, i)), softcap(first_half(&q, i)), col, end);
      states[i] = take(state, softcap(second_half(&p, i)), softcap(second_half(&q, i)), col + TILE_HALF, end);
    }
  }
  for (var i = 0u; i < rows; i++) {
    let place = 2u * ((row + i) * params.stride + params.chunkFirst + id.x);
    partials[place] = vec4f(states[i].p, 0.0);
    partials[place + 1u] = vec4f(states[i].q, 0.0, 0.0);
  }
}
