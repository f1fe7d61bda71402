// narrow: y[i, r] = scale · Σ_k d(i, k) · x[i, first + k] · weight(k, r), k < wide, r < rank, with dropout's factors d
//   x [≥ xFirst + rows, stride] · y [≥ xFirst + rows, rank], both from row xFirst on · weight(k, r) = weight[k · kStep + r · rStep]
// A workgroup per four rows and eight ranks; its invocations share out k. Joined behind grid.wgsl and dropout.wgsl.
// Reference: src/numerics/adapter.ts

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

const SIZE = 64u;
const RANKS = 8u;

var<workgroup> parts: array<vec4f, SIZE * RANKS>;

@compute @workgroup_size(SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, 0u, 1u);
  let rank_groups = (params.rank + RANKS - 1u) / RANKS;
  let row = index / rank_groups * 4u;
  let rank = index % rank_groups * RANKS;
  let x_row = (params.xFirst + row) * params.stride + params.first;
  // Rows and ranks beyond the last one have some value, which is not written.
  var sums: array<vec4f, RANKS>;
  for (var k = local; k < params.wide; k += SIZE) {
    let at = x_row + k;
    let values = vec4f(x[at], x[at + params.stride], x[at + 2u * params.stride], x[at + 3u * params.stride])
      * drop_factors(params.xFirst + row, k);
    let start = k * params.kStep + rank * params.rStep;
    for (var r = 0u; r < RANKS; r++) {
      sums[r] += values * weight[start + r * params.rStep];
    }
  }
  for (var r = 0u; r < RANKS; r++) {
    parts[local * RANKS + r] = sums[r];
  }
  workgroupBarrier();
  let r = local / 4u;
  let i = local % 4u;
  if (r >= RANKS || rank + r >= params.rank || row + i >= params.rows) {
    return;
  }
  var sum = 0.0;
  for (var part = 0u; part < SIZE; part++) {
    sum += parts[part * RANKS + r][i];
  }
  y[(params.xFirst + row + i) * params.rank + rank + r] = params.scale * sum;
}
