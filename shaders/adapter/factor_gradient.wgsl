// factor_gradient: y(k, r) = scale · Σ_i d(i, k) · x[i, first + k] · narrow[i, r], k < wide, r < rank, or that added to y, with dropout's factors d
//   x [rows, stride] · narrow [rows, rank] · y(k, r) = y[k · kStep + r · rStep], for `columns` k from kFirst on
// A workgroup per 16 columns and eight ranks; its four lanes share out the rows. Joined behind grid.wgsl and dropout.wgsl.
// Reference: src/numerics/adapter.ts

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

const COLUMNS = 16u;
const LANES = 4u;
const RANKS = 8u;

var<workgroup> parts: array<f32, COLUMNS * LANES * RANKS>;

@compute @workgroup_size(COLUMNS * LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, 0u, 1u);
  let rank_groups = (params.rank + RANKS - 1u) / RANKS;
  let rank = index % rank_groups * RANKS;
  let column = index / rank_groups * COLUMNS;
  let k = params.kFirst + column + local % COLUMNS;
  // Columns and ranks beyond the last one have some value, which is not written.
  var sums: array<f32, RANKS>;
  for (var i = local / COLUMNS; i < params.rows; i += LANES) {
    let value = x[i * params.stride + params.first + k] * drop_factor(i * params.wide + k);
    let start = i * params.rank + rank;
    for (var r = 0u; r < RANKS; r++) {
      sums[r] += value * narrow[start + r];
    }
  }
  for (var r = 0u; r < RANKS; r++) {
    parts[local * RANKS + r] = sums[r];
  }
  workgroupBarrier();
  for (var one = local; one < COLUMNS * RANKS; one += COLUMNS * LANES) {
    let r = one / COLUMNS;
    let c = one % COLUMNS;
    if (rank + r >= params.rank || column + c >= params.columns) {
      continue;
    }
    var sum = 0.0;
    for (var lane = 0u; lane < LANES; lane++) {
      sum += parts[(lane * COLUMNS + c) * RANKS + r];
    }
    let at = (params.kFirst + column + c) * params.kStep + (rank + r) * params.rStep;
    sum *= params.scale;
    if (params.accumulate == 1u) {
      sum += y[at];
    }
    y[at] = sum;
  }
}
