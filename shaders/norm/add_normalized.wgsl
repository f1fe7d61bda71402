// add_normalized: y[yFirst + r, i] += x[r, i] / √(mean(x[r]²) + eps) · factor(i): a sub-block's output, normalized on its way into the stream
//   weight [hidden] f32 · x [rows, hidden] · y [·, hidden]
// One invocation per row. Joined behind grid.wgsl, finite.wgsl and factor.wgsl. Reference: src/numerics/rmsnorm.ts

struct Params {
  rows: u32,
  hidden: u32,
  eps: f32,
  yFirst: u32,
}

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = linear_index(group, groups, local, WORKGROUP);
  if (row >= params.rows) {
    return;
  }
  let x_row = row * params.hidden;
  let y_row = (params.yFirst + row) * params.hidden;
  var squares = 0.0;
  for (var i = 0u; i < params.hidden; i++) {
    let value = x[x_row + i];
    squares += value * value;
  }
  let rstd = inverse_root(squares / f32(params.hidden) + params.eps);
  for (var i = 0u; i < params.hidden; i++) {
    y[y_row + i] += x[x_row + i] * rstd * factor(i);
  }
}
