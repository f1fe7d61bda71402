// embedding: y[yFirst + r, i] = scale · weight[tokens[tokenFirst + r] − vocabFirst, i]
//   weight [vocabRows, hidden]: the part of the table from vocabFirst · tokens [·] u32 · y [·, hidden]
// One invocation per element; a token outside this part is left to the launch of its own part.
// Joined behind grid.wgsl and a weight file. Reference: src/numerics/embedding.ts

struct Params {
  rows: u32,
  hidden: u32,
  tokenFirst: u32,
  yFirst: u32,
  vocabFirst: u32,
  vocabRows: u32,
  scale: f32,
}

@group(0) @binding(1) var<storage, read> tokens: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  if (index >= params.rows * params.hidden) {
    return;
  }
  let row = index / params.hidden;
  let token = tokens[params.tokenFirst + row];
  if (token < params.vocabFirst || token - params.vocabFirst >= params.vocabRows) {
    return;
  }
  let at = (token - params.vocabFirst) * params.hidden + index % params.hidden;
  y[params.yFirst * params.hidden + index] = params.scale * load_weight(at);
}
