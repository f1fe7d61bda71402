// drop: y[i] = d(i) · x[i] with dropout's factors d, for `count` elements from `first` on
// One invocation per four elements. Joined behind grid.wgsl and dropout.wgsl. Reference: src/numerics/dropout.ts

struct Params {
  first: u32,
  count: u32,
  seed: u32,
  threshold: u32,
  kept: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let begin = linear_index(group, groups, local, WORKGROUP) * 4u;
  for (var i = begin; i < min(begin + 4u, params.count); i++) {
    let element = params.first + i;
    y[element] = drop_factor(element) * x[element];
  }
}
