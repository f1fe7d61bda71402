// cosine_rows: y[yFirst + r] = a[r] · b[r] / (|a[r]| · |b[r]|), 0 when either row is zero, NaN when a value or a norm is not finite
//   a, b [·, hidden], `rows` rows from aFirst and from bFirst · y [·]
// One invocation per row. Joined behind grid.wgsl and finite.wgsl. Reference: src/numerics/cosine.ts

struct Params {
  rows: u32,
  hidden: u32,
  aFirst: u32,
  bFirst: u32,
  yFirst: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
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
  let a_row = (params.aFirst + row) * params.hidden;
  let b_row = (params.bFirst + row) * params.hidden;
  // (a · b, a · a, b · b)
  var sums = vec3f();
  for (var i = 0u; i < params.hidden; i++) {
    let p = a[a_row + i];
    let q = b[b_row + i];
    sums += vec3f(p * q, p * p, q * q);
  }
  let norms = sqrt(sums.y) * sqrt(sums.z);
  let cosine = select(0.0, sums.x / norms, norms > 0.0);
  y[params.yFirst + row] = nan_where(cosine, !(is_finite(sums.x) && is_finite(sums.y) && is_finite(sums.z)));
}
