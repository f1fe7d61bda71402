// copy: y = x, by four: what the adapter's memory gives, for a benchmark to compare with
//   x [count] vec4 · y [count] vec4
// One invocation per vec4, of a grid that may fold into y. Joined behind grid.wgsl.

struct Params {
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = linear_index(group, groups, local, 64u);
  if (i < params.count) {
    y[i] = x[i];
  }
}
