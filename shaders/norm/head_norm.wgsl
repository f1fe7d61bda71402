// head_norm: x[r, h, i] ·= factor(h, i) / √(mean(x[r, h]²) + eps) for the heads of queries and keys, in place
//   weight [queryDim + keyDim] f32: of queries, of keys · x [rows, width]: queryHeads heads of queryDim, then keyHeads of keyDim; what
//   lies behind them stays. Where all channels of a token are normalized as one, they are one head as wide as all
// One invocation per row and head. Joined behind grid.wgsl, finite.wgsl and factor.wgsl.
// Reference: src/numerics/rmsnorm.ts on rows of queryDim or keyDim

struct Params {
  rows: u32,
  width: u32,
  queryHeads: u32,
  keyHeads: u32,
  queryDim: u32,
  keyDim: u32,
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
  let of_key = head >= params.queryHeads;
  let dim = select(params.queryDim, params.keyDim, of_key);
  // A key's heads lie behind all queries.
  let before = select(head * dim, params.queryHeads * params.queryDim + (head - params.queryHeads) * dim, of_key);
  let first = index / heads * params.width + before;
  let weight_first = select(0u, params.queryDim, of_key);
  var squares = 0.0;
  for (var i = 0u; i < dim; i++) {
    let value = x[first + i];
    squares += value * value;
  }
  let rstd = inverse_root(squares / f32(dim) + params.eps);
  for (var i = 0u; i < dim; i++) {
    x[first + i] = x[first + i] * rstd * factor(weight_first + i);
  }
}
