// head_norm_backward: dX[r, h] = rstd · (g − x̂ · mean(g ⊙ x̂)), x̂ = x[r, h] · rstd, g = dY[r, h] ⊙ factor, for the heads of queries
// and keys, and rstd itself; what lies behind them is copied
//   weight [queryDim + keyDim]: of queries, of keys · x, dY, dX [rows, width]: queryHeads heads of queryDim, keyHeads of keyDim, and
//   as many values as keys
//   rstd [rows, queryHeads + keyHeads], for the weights' gradients
// One invocation per row and head, those of values included. Joined behind grid.wgsl, finite.wgsl and factor.wgsl.
// Reference: src/numerics/rmsnormBackward.ts on rows of queryDim or keyDim

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
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dY: array<f32>;
@group(0) @binding(3) var<storage, read_write> dX: array<f32>;
@group(0) @binding(4) var<storage, read_write> rstd: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let heads = params.queryHeads + 2u * params.keyHeads;
  if (index >= params.rows * heads) {
    return;
  }
  let row = index / heads;
  let head = index % heads;
  let of_query = head < params.queryHeads;
  let dim = select(params.keyDim, params.queryDim, of_query);
  // Keys and values lie behind all queries.
  let before = select(params.queryHeads * params.queryDim + (head - params.queryHeads) * dim, head * dim, of_query);
  let first = row * params.width + before;
  let normed = params.queryHeads + params.keyHeads;
  if (head >= normed) {
    for (var i = 0u; i < dim; i++) {
      dX[first + i] = dY[first + i];
    }
    return;
  }
  let weight_first = select(params.queryDim, 0u, of_query);
  // (Σ x², Σ dY ⊙ factor ⊙ x)
  var sums = vec2f();
  for (var i = 0u; i < dim; i++) {
    let value = x[first + i];
    sums += value * vec2f(value, dY[first + i] * factor(weight_first + i));
  }
  let inverse = inverse_root(sums.x / f32(dim) + params.eps);
  rstd[row * normed + head] = inverse;
  let along = sums.y * inverse * inverse / f32(dim);
  for (var i = 0u; i < dim; i++) {
    dX[first + i] = inverse * (dY[first + i] * factor(weight_first + i) - x[first + i] * along);
  }
}
