// fold_pairs: sums[first + i] = Σ pairs[j] over j ≡ i modulo `count`: many partial sums become few, to be read back
//   pairs [length] · sums [·], `count` from first
// One invocation per sum; the caller adds those in float64. Joined behind grid.wgsl.
// Reference: Σ, see src/engine/kernels/foldPairs.gpu.test.ts

struct Params {
  length: u32,
  count: u32,
  first: u32,
}

@group(0) @binding(0) var<storage, read> pairs: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec2f>;
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
  var sum = vec2f();
  for (var j = index; j < params.length; j += params.count) {
    sum += pairs[j];
  }
  sums[params.first + index] = sum;
}
