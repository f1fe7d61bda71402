// factor_gradient: y(k, r) = scale · Σ_i d(i, k) · x[i, first + k] · narrow[i, r], k < wide, r < rank, or that added to y, with dropout's factors d
//   x [rows, stride] · narrow [rows, rank] · y(k, r) = y[k · kStep + r · rStep], for `columns` k from kFirst on
// One invocation per four columns and four ranks. Joined behind grid.wgsl and dropout.wgsl. Reference: src/numerics/adapter.ts

struct Params {
  rows: u32,
  stride: u32,
  first: u32,
  wide: u32,
  kFirst: u32,
  columns: u32,
  rank: u32,
  kStep: u32,
  rStep: u32,
  accumulate: u32,
  scale: f32,
  seed: u32,
  threshold: u32,
  kept: f32,
}

@group(0) @binding(0) var<storage, read> narrow: array<f32>;
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
  let column_groups = (params.columns + 3u) / 4u;
  let rank = index / column_groups * 4u;
  if (rank >= params.rank) {
    return;
  }
  let column = index % column_groups * 4u;
  let k = params.kFirst + column;
  // Columns and ranks beyond the last one have some value, which is not written.
  var sums = array<vec4f, 4>();
  for (var i = 0u; i < params.rows; i++) {
    let at = i * params.rank + rank;
    let values = vec4f(narrow[at], narrow[at + 1u], narrow[at + 2u], narrow[at + 3u]);
    let from_x = i * params.stride + params.first + k;
    let columns = vec4f(x[from_x], x[from_x + 1u], x[from_x + 2u], x[from_x + 3u]) * drop_columns(i, k);
    sums[0] += columns.x * values;
    sums[1] += columns.y * values;
    sums[2] += columns.z * values;
    sums[3] += columns.w * values;
  }
  for (var c = 0u; c < min(4u, params.columns - column); c++) {
    for (var r = 0u; r < min(4u, params.rank - rank); r++) {
      let at = (k + c) * params.kStep + (rank + r) * params.rStep;
      var sum = params.scale * sums[c][r];
      if (params.accumulate == 1u) {
        sum += y[at];
      }
      y[at] = sum;
    }
  }
}
