// head_norm: x[r, h, i] ·= weight[h, i] / √(mean(x[r, h]²) + eps) for the heads of queries and keys, in place
//   weight [2, headDim] f32: of queries, of keys · x [rows, width]: queryHeads heads of queries, then keyHeads of keys; what lies
//   behind them stays
// One invocation per row and head. Joined behind grid.wgsl. Reference: src/numerics/rmsnorm.ts on rows of headDim

struct Params {
  rows: u32,
  width: u32,
  queryHeads: u32,
  keyHeads: u32,
  headDim: u32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let heads = params.queryHeads + params.keyHeads;
  if (index >= params.rows * heads) {
    return;
  }
  let head = index % heads;
  let first = index / heads * params.width + head * params.headDim;
  let weight_first = select(0u, params.headDim, head >= params.queryHeads);
  var squares = 0.0;
  for (var i = 0u; i < params.headDim; i++) {
    let value = x[first + i];
    squares += value * value;
  }
  let rstd = 1.0 / sqrt(squares / f32(params.headDim) + params.eps);
  for (var i = 0u; i < params.headDim; i++) {
    x[first + i] = x[first + i] * rstd * weight[weight_first + i];
  }
}
