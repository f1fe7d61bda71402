// rope: rotates channel i of a head with channel i + headDim/2 by position · theta^(−2i/headDim), in place;
// rotated back by the same angle for the gradient when direction is −1
//   table [first + seqLen or more, headDim/2] of (cos, sin) · qkv [sequences·seqLen, width]: the first `heads` heads of a row rotate
// One invocation per channel pair. Joined behind grid.wgsl. Reference: src/numerics/rope.ts, ropeBackward.ts

struct Params {
  rows: u32,
  seqLen: u32,
  heads: u32,
  headDim: u32,
  width: u32,
  direction: f32,
  // Position of a sequence's first row.
  first: u32,
}

@group(0) @binding(0) var<storage, read> table: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> qkv: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let turns = params.headDim / 2u;
  let pairs = params.heads * turns;
  if (index >= params.rows * pairs) {
    return;
  }
  let row = index / pairs;
  let head = index % pairs / turns;
  let pair = index % turns;
  let turn = table[(params.first + row % params.seqLen) * turns + pair] * vec2f(1.0, params.direction);
  let at = row * params.width + head * params.headDim + pair;
  let a = qkv[at];
  let b = qkv[at + turns];
  qkv[at] = a * turn.x - b * turn.y;
  qkv[at + turns] = b * turn.x + a * turn.y;
}
