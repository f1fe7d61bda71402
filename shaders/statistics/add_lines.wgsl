// add_lines: y[j] = Σ_i lines[i, j]: what tiles left of a line becomes one number
//   lines [count, length] · y [length]
// One invocation per sum. Joined behind grid.wgsl. Reference: Σ, see src/engine/kernels/addLines.gpu.test.ts

struct Params {
  count: u32,
  length: u32,
}

@group(0) @binding(0) var<storage, read> lines: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  if (index >= params.length) {
    return;
  }
  var sum = 0.0;
  for (var i = 0u; i < params.count; i++) {
    sum += lines[i * params.length + index];
  }
  y[index] = sum;
}
