// row: y[c] = Σ_k x[k] · weight[c, k] of a single row of x, or y[c] += … for a residual stream
//   weight [cols, inner] · x [·, inner], the row xFirst · y [·, cols], the row yFirst
// A single row has nothing to share but its own x, so the weights are read once and in their order: LANES invocations side by
// side take every LANES-th four values of the same four weight rows, and row_lanes.wgsl adds up what they found.
// Joined behind a weight file and row_lanes.wgsl or row_alone.wgsl. Reference: src/numerics/linear.ts

struct Params {
  inner: u32,
  cols: u32,
  xFirst: u32,
  yFirst: u32,
  // 1: add to y instead of replacing it.
  accumulate: u32,
}

@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

// inner is a multiple of 4, so that four values are one load.
override ALIGNED = true;

// Columns of an invocation.
const COLS = 4u;

@compute @workgroup_size(GROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let lane = local % LANES;
  let col = ((group.y * groups.x + group.x) * (GROUP / LANES) + local / LANES) * COLS;
  // Beyond the last row that row repeats; those sums are not stored.
  let rows = min(vec4u(col) + vec4u(0u, 1u, 2u, 3u), vec4u(params.cols - 1u));
  var sums = vec4f();
  if (ALIGNED) {
    let steps = params.inner / 4u;
    let at = rows * steps;
    let x_at = params.xFirst * steps;
    for (var k = lane; k < steps; k += LANES) {
      let v = x[x_at + k];
      sums += vec4f(
        dot(load_weight4(at.x + k), v),
        dot(load_weight4(at.y + k), v),
        dot(load_weight4(at.z + k), v),
        dot(load_weight4(at.w + k), v),
      );
    }
  } else {
    let at = rows * params.inner;
    let x_at = params.xFirst * params.inner;
    for (var k = lane; k < params.inner; k += LANES) {
      let v = x[(x_at + k) / 4u][(x_at + k) % 4u];
      sums += v * vec4f(load_weight(at.x + k), load_weight(at.y + k), load_weight(at.z + k), load_weight(at.w + k));
    }
  }
  var result = together(sums, local);
  if (lane != 0u || col >= params.cols) {
    return;
  }
  let first = params.yFirst * params.cols + col;
  for (var i = 0u; i < min(COLS, params.cols - col); i++) {
    y[first + i] = select(0.0, y[first + i], params.accumulate == 1u) + result[i];
  }
}
