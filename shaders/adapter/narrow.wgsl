// narrow: y[i, r] = scale · Σ_k d(i, k) · x[i, first + k] · weight(k, r), k < wide, r < rank, with dropout's factors d
//   x [≥ xFirst + rows, stride] · y [≥ xFirst + rows, rank], both from row xFirst on · weight(k, r) = weight[k · kStep + r · rStep]
// One invocation per four rows and four ranks. Joined behind grid.wgsl and dropout.wgsl. Reference: src/numerics/adapter.ts

struct Params {
  rows: u32,
  xFirst: u32,
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
  let rank_groups = (params.rank + 3u) / 4u;
  let row = index / rank_groups * 4u;
  if (row >= params.rows) {
    return;
  }
  let rank = index % rank_groups * 4u;
  let step = params.rStep;
  let stride = params.stride;
  let x_row = (params.xFirst + row) * stride + params.first;
  // Rows and ranks beyond the last one have some value, which is not written.
  var sums = array<vec4f, 4>();
  for (var k = 0u; k < params.wide; k++) {
    let from_x = x_row + k;
    let values = vec4f(x[from_x], x[from_x + stride], x[from_x + 2u * stride], x[from_x + 3u * stride])
      * drop_rows(params.xFirst + row, k);
    let at = k * params.kStep + rank * step;
    let weights = vec4f(weight[at], weight[at + step], weight[at + 2u * step], weight[at + 3u * step]);
    sums[0] += values.x * weights;
    sums[1] += values.y * weights;
    sums[2] += values.z * weights;
    sums[3] += values.w * weights;
  }
  for (var i = 0u; i < min(4u, params.rows - row); i++) {
    let y_at = (params.xFirst + row + i) * params.rank + rank;
    for (var r = 0u; r < min(4u, params.rank - rank); r++) {
      y[y_at + r] = params.scale * sums[i][r];
    }
  }
}
