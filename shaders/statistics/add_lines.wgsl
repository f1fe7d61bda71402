// add_lines: y[p, j] = Σ_i lines[i, first + j] over the p-th `part` lines, or that added to y
//   lines [count, stride] · y [⌈count / part⌉, length]
// One invocation per sum. Joined behind grid.wgsl. Reference: Σ, see src/engine/kernels/addLines.gpu.test.ts

struct Params {
  count: u32,
  stride: u32,
  first: u32,
  length: u32,
  part: u32,
  accumulate: u32,
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
  let begin = index / params.length * params.part;
  if (begin >= params.count) {
    return;
  }
  let column = params.first + index % params.length;
  var sum = 0.0;
  for (var i = begin; i < min(begin + params.part, params.count); i++) {
    sum += lines[i * params.stride + column];
  }
  if (params.accumulate == 1u) {
    sum += y[index];
  }
  y[index] = sum;
}
