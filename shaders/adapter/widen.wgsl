// widen: y[yFirst + i, first + k] += scale · d(i, k) · Σ_r x[xFirst + i, r] · weight(k, r), k < wide, r < rank, with dropout's factors d
//   x [·, rank] · y [·, stride] · weight(k, r) = weight[k · kStep + r · rStep]
// One invocation per four rows and four columns. Joined behind grid.wgsl and dropout.wgsl. Reference: src/numerics/adapter.ts

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

// The factors of four columns of a row of `params.wide` elements.
fn drop_columns(row: u32, column: u32) -> vec4f {
  if (params.threshold == 0u) {
    return vec4f(1.0);
  }
  let element = row * params.wide + column;
  return vec4f(
    drop_factor(element),
    drop_factor(element + 1u),
    drop_factor(element + 2u),
    drop_factor(element + 3u),
  );
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let column_groups = (params.wide + 3u) / 4u;
  let row = index / column_groups * 4u;
  if (row >= params.rows) {
    return;
  }
  let k = index % column_groups * 4u;
  let rank = params.rank;
  let step = params.kStep;
  let x_at = (params.xFirst + row) * rank;
  // Rows and columns beyond the last one have some value, which is not added.
  var sums = array<vec4f, 4>();
  for (var r = 0u; r < rank; r++) {
    let from_x = x_at + r;
    let values = vec4f(x[from_x], x[from_x + rank], x[from_x + 2u * rank], x[from_x + 3u * rank]);
    let at = k * step + r * params.rStep;
    let weights = vec4f(weight[at], weight[at + step], weight[at + 2u * step], weight[at + 3u * step]);
    sums[0] += values.x * weights;
    sums[1] += values.y * weights;
    sums[2] += values.z * weights;
    sums[3] += values.w * weights;
  }
  for (var i = 0u; i < min(4u, params.rows - row); i++) {
    let added = params.scale * sums[i] * drop_columns(params.xFirst + row + i, k);
    let y_at = (params.yFirst + row + i) * params.stride + params.first + k;
    for (var column = 0u; column < min(4u, params.wide - k); column++) {
      y[y_at + column] += added[column];
    }
  }
}
