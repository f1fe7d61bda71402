// square_sum: partials[first + p] = Σ x², over the elements with index ≡ p modulo `partialCount`
//   x [count] · partials [≥ first + partialCount]
// One invocation per partial; the caller adds the partials in float64. Joined behind grid.wgsl.
// Reference: Σ x², see src/engine/kernels/adamw.gpu.test.ts

struct Params {
  count: u32,
  partialCount: u32,
  first: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  if (index >= params.partialCount) {
    return;
  }
  var sum = 0.0;
  for (var i = index; i < params.count; i += params.partialCount) {
    sum += x[i] * x[i];
  }
  partials[params.first + index] = sum;
}
