// column_sums: y[yFirst + chunk · inner + j] = (Σ |weight[i, j]|, Σ weight[i, j]²) over the rows i of a chunk
//   weight [rows, inner] · y [·]
// One invocation per chunk of chunkRows rows and column; the caller adds the chunks in float64. Joined behind grid.wgsl and
// a weight file. Reference: src/numerics/columnSums.ts

struct Params {
  rows: u32,
  inner: u32,
  chunkRows: u32,
  yFirst: u32,
}

@group(0) @binding(1) var<storage, read_write> y: array<vec2f>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let first = index / params.inner * params.chunkRows;
  if (first >= params.rows) {
    return;
  }
  let column = index % params.inner;
  var sums = vec2f();
  for (var row = first; row < min(first + params.chunkRows, params.rows); row++) {
    let value = load_weight(row * params.inner + column);
    sums += vec2f(abs(value), value * value);
  }
  y[params.yFirst + index] = sums;
}
