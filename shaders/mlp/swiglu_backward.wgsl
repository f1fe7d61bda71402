// swiglu_backward: for y = activate(gate) ⊙ up, in place: gateUp becomes its gradient, and y, which holds dY, becomes the activation
//   gateUp [rows, 2·ffn]: in (gate, up), out (dY ⊙ up ⊙ activate′(gate), dY ⊙ activate(gate)) · y [rows, ffn]: in dY, out activate(gate) ⊙ up
// One invocation per element. The activation is what the down projection's weight gradient needs.
// Joined behind grid.wgsl and silu.wgsl or gelu_tanh.wgsl. Reference: src/numerics/swigluBackward.ts, gegluBackward.ts

struct Params {
  rows: u32,
  ffn: u32,
}

@group(0) @binding(0) var<storage, read_write> gateUp: array<f32>;
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
  let up = gateUp[gate_at + params.ffn];
  let d = y[index];
  let activated = activate_with_slope(gateUp[gate_at]);
  gateUp[gate_at] = d * up * activated.y;
  gateUp[gate_at + params.ffn] = d * activated.x;
  y[index] = activated.x * up;
}
