// rmsnorm_backward: dX[r, i] (+)= rstd · (g[i] − x̂[i] · mean(g ⊙ x̂)), x̂ = x[r] · rstd, g = dY[r] ⊙ factor (the weight, without an offset), and rstd itself
//   weight [hidden] · x, dY, dX [rows, hidden] · rstd [rows], for the weight's gradient
// One invocation per row. Joined behind grid.wgsl, finite.wgsl and factor.wgsl. Reference: src/numerics/rmsnormBackward.ts

struct Params {
  rows: u32,
  hidden: u32,
  eps: f32,
  // 1: add to dX instead of replacing it.
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dY: array<f32>;
@group(0) @binding(3) var<storage, read_write> dX: array<f32>;
@group(0) @binding(4) var<storage, read_write> rstd: array<f32>;
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
  let first = row * params.hidden;
  // By four: a software adapter pays for every turn of a loop. (Σ x², Σ dY ⊙ factor ⊙ x)
  let whole = params.hidden / 4u * 4u;
  var sums = vec2f();
  for (var i = 0u; i < whole; i += 4u) {
    let at = first + i;
    let four = vec4f(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
    let factors = vec4f(factor(i), factor(i + 1u), factor(i + 2u), factor(i + 3u));
    let g = vec4f(dY[at], dY[at + 1u], dY[at + 2u], dY[at + 3u]) * factors;
    sums += vec2f(dot(four, four), dot(four, g));
  }
  for (var i = whole; i < params.hidden; i++) {
    sums += x[first + i] * vec2f(x[first + i], dY[first + i] * factor(i));
  }
  let inverse = inverse_root(sums.x / f32(params.hidden) + params.eps);
  rstd[row] = inverse;
  let along = sums.y * inverse * inverse / f32(params.hidden);
  for (var i = 0u; i < params.hidden; i++) {
    var value = inverse * (dY[first + i] * factor(i) - x[first + i] * along);
    if (params.accumulate == 1u) {
      value += dX[first + i];
    }
    dX[first + i] = value;
  }
}
