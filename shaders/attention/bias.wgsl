// bias: y[r, yFirst + c] += bias[biasFirst + c]
//   bias [·] f32 · y [·, stride], `rows` rows from rowFirst, `cols` columns from yFirst
// One invocation per element. Joined behind grid.wgsl. Reference: src/numerics/linear.ts

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
  rowFirst: u32,
  yFirst: u32,
  biasFirst: u32,
}

@group(0) @binding(0) var<storage, read> bias: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  if (index >= params.rows * params.cols) {
    return;
  }
  let col = index % params.cols;
  let at = (params.rowFirst + index / params.cols) * params.stride + params.yFirst + col;
  y[at] += bias[params.biasFirst + col];
}
