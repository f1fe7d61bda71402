// absolute_sum: partials[p] = Σ |weight|, over the groups of four with index ≡ p modulo `count`
//   weight [4·vectors], zeros behind the last element · partials [count]
// One invocation per partial; the caller adds the partials in float64. Joined behind grid.wgsl and a weight file.
// Reference: Σ|w|, see src/engine/kernels/absoluteSum.gpu.test.ts

struct Params {
  vectors: u32,
  count: u32,
  first: u32,
}

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
  if (index >= params.count) {
    return;
  }
  var sum = vec4f();
  for (var i = index; i < params.vectors; i += params.count) {
    sum += abs(load_weight4(i));
  }
  partials[params.first + index] = sum.x + sum.y + sum.z + sum.w;
}
