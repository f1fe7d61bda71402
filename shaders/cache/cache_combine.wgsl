// cache_combine: joins the chunks of cache_mix.wgsl to the attention of each query and head
//   sums [rows, heads, chunks] of (largest, sum) · values [rows, heads, chunks, ⌈headDim/4⌉] of four channels
//   y [·, heads·headDim], `rows` rows from yFirst
// A chunk of which a query sees nothing has a sum of 0, and counts nothing.
// One invocation per four channels. Joined behind grid.wgsl. Reference: src/numerics/attention.ts

struct Params {
  rows: u32,
  heads: u32,
  headDim: u32,
  chunks: u32,
  yFirst: u32,
}

@group(0) @binding(0) var<storage, read> sums: array<vec2f>;
@group(0) @binding(1) var<storage, read> values: array<vec4f>;
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
  let fours = (params.headDim + 3u) / 4u;
  if (index >= params.rows * params.heads * fours) {
    return;
  }
  let four = index % fours;
  let query = index / fours; // row · heads + head
  let first = query * params.chunks;
  var largest = sums[first].x;
  for (var part = 1u; part < params.chunks; part++) {
    largest = max(largest, sums[first + part].x);
  }
  var sum = 0.0;
  var mixed = vec4f();
  for (var part = first; part < first + params.chunks; part++) {
    let keep = exp(sums[part].x - largest);
    sum += keep * sums[part].y;
    mixed += keep * values[part * fours + four];
  }
  var result = mixed / sum;
  let channel = 4u * four;
  let at = (params.yFirst * params.heads + query) * params.headDim + channel;
  for (var i = 0u; i < min(4u, params.headDim - channel); i++) {
    y[at + i] = result[i];
  }
}
