// adamw: one step of AdamW on `count` elements, in place
//   gradient [≥ gradientFirst + count] · weight [≥ weightFirst + count] · first moment, second moment [≥ momentFirst + count]
// One invocation per element. Joined behind grid.wgsl. Reference: src/numerics/adamw.ts

struct Params {
  count: u32,
  weightFirst: u32,
  gradientFirst: u32,
  momentFirst: u32,
  // What the gradient is multiplied by: clipping.
  scale: f32,
  // 1 − learning rate · weight decay
  decay: f32,
  // 1 − β₁ and 1 − β₂: the subtraction in f32 would lose digits.
  rest1: f32,
  rest2: f32,
  // learning rate / (1 − β₁ᵗ)
  stepSize: f32,
  // 1 / √(1 − β₂ᵗ)
  correction: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> first: array<f32>;
@group(0) @binding(3) var<storage, read_write> second: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  if (index >= params.count) {
    return;
  }
  let at = params.momentFirst + index;
  let g = gradient[params.gradientFirst + index] * params.scale;
  let m = first[at] + params.rest1 * (g - first[at]);
  let v = second[at] + params.rest2 * (g * g - second[at]);
  first[at] = m;
  second[at] = v;
  let place = params.weightFirst + index;
  weight[place] = weight[place] * params.decay - params.stepSize * m / (sqrt(v) * params.correction + params.epsilon);
}
