// widen: y[yFirst + i, first + k] += scale · d(i, k) · Σ_r x[xFirst + i, r] · weight(k, r), k < wide, r < rank, with dropout's factors d
//   x [·, rank] · y [·, stride] · weight(k, r) = weight[k · kStep + r · rStep]
// One invocation per four rows of a column. Joined behind grid.wgsl and dropout.wgsl. Reference: src/numerics/adapter.ts

struct Params {
  rows: u32,
  xFirst: u32,
  yFirst: u32,
  stride: u32,
  first: u32,
  wide: u32,
  rank: u32,
  kStep: u32,
  rStep: u32,
  scale: f32,
  seed: u32,
  threshold: u32,
  kept: f32,
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
  let index = linear_index(group, groups, local, WORKGROUP);
  let row = index / params.wide * 4u;
  if (row >= params.rows) {
    return;
  }
  let k = index % params.wide;
  let rank = params.rank;
  let start = k * params.kStep;
  let at = (params.xFirst + row) * rank;
  // Rows beyond the last one have some value, which is not added.
  var sums = vec4f();
  for (var r = 0u; r < rank; r++) {
    let values = vec4f(x[at + r], x[at + rank + r], x[at + 2u * rank + r], x[at + 3u * rank + r]);
    sums += values * weight[start + r * params.rStep];
  }
  sums *= params.scale * drop_factors(params.xFirst + row, k);
  for (var i = 0u; i < min(4u, params.rows - row); i++) {
    y[(params.yFirst + row + i) * params.stride + params.first + k] += sums[i];
  }
}
