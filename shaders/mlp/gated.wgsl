// gated: y[r, c] = activate(gateUp[r, c]) · gateUp[r, ffn + c], where the projections are kept for the backward pass
//   gateUp [rows, 2·ffn] · y [rows, ffn]
// One invocation per element; swiglu.wgsl does the projections too. Joined behind grid.wgsl and silu.wgsl or gelu_tanh.wgsl.
// Reference: src/numerics/swiglu.ts, geglu.ts

struct Params {
  rows: u32,
  ffn: u32,
}

@group(0) @binding(0) var<storage, read> gateUp: array<f32>;
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
  if (index >= params.rows * params.ffn) {
    return;
  }
  let gate_at = index + index / params.ffn * params.ffn;
  y[index] = activate(gateUp[gate_at]) * gateUp[gate_at + params.ffn];
}
