// rmsnorm_salience: sums[sumFirst + i] = (|weight[i] · g|, g²) with g = Σ_r dY[r, i] · x[r, i] · rstd[r], a norm's weight gradient
//   weight [·], the norm's `hidden` from weightFirst · x, dY [rows, hidden] · rstd [rows] · carry [hidden], the gradient of the batches so far: read when carryIn
//   is 1; written, instead of sums, when carryOut is 1; else of any size · sums [·]
// With SUMMED, x [rows, hidden] holds parts of the sum already, and neither dY nor rstd is read.
// One invocation per column. Joined behind grid.wgsl. Reference: src/numerics/rmsnormBackward.ts

struct Params {
  rows: u32,
  hidden: u32,
  weightFirst: u32,
  sumFirst: u32,
  carryIn: u32,
  carryOut: u32,
}

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dY: array<f32>;
@group(0) @binding(3) var<storage, read> rstd: array<f32>;
@group(0) @binding(4) var<storage, read_write> carry: array<f32>;
@group(0) @binding(5) var<storage, read_write> sums: array<vec2f>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override SUMMED = false;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let col = linear_index(group, groups, local, WORKGROUP);
  if (col >= params.hidden) {
    return;
  }
  var g = 0.0;
  if (params.carryIn == 1u) {
    g = carry[col];
  }
  for (var row = 0u; row < params.rows; row++) {
    let at = row * params.hidden + col;
    if (SUMMED) {
      g += x[at];
    } else {
      g += dY[at] * x[at] * rstd[row];
    }
  }
  if (params.carryOut == 1u) {
    carry[col] = g;
  } else {
    sums[params.sumFirst + col] = vec2f(abs(weight[params.weightFirst + col] * g), g * g);
  }
}
