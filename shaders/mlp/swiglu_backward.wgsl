// swiglu_backward: for y = silu(gate) ⊙ up, in place: gateUp becomes its gradient, and y, which holds dY, becomes the activation
//   gateUp [rows, 2·ffn]: in (gate, up), out (dY ⊙ up ⊙ silu′(gate), dY ⊙ silu(gate)) · y [rows, ffn]: in dY, out silu(gate) ⊙ up
// One invocation per element. The activation is what the down projection's weight gradient needs.
// Joined behind grid.wgsl. Reference: src/numerics/swigluBackward.ts

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
  let gate = gateUp[gate_at];
  let up = gateUp[gate_at + params.ffn];
  let d = y[index];
  // The exponent is bounded so that exp stays finite: beyond it the sigmoid is 0 in float32 anyway.
  let sigmoid = 1.0 / (1.0 + exp(min(-gate, 88.0)));
  let silu = gate * sigmoid;
  gateUp[gate_at] = d * up * sigmoid * (1.0 + gate * (1.0 - sigmoid));
  gateUp[gate_at + params.ffn] = d * silu;
  y[index] = silu * up;
}
