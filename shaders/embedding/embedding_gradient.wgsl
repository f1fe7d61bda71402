// embedding_gradient: gradient[tokens[u] − vocabFirst, i] += scale · Σ dY[p, i] over the positions p at which token u stands
//   dY [·, hidden] · tokens [·] u32, distinct · starts [·] u32: token u's positions are positions[starts[u] … starts[u + 1] − 1]
//   positions [·] u32, rows of dY · gradient [·, hidden], whose first row is that of token vocabFirst; u from useFirst
// One workgroup per token, which adds row by row: the same sum in every run, and no two writers.
// Joined behind grid.wgsl. Reference: src/numerics/embeddingBackward.ts

struct Params {
  uses: u32,
  useFirst: u32,
  hidden: u32,
  vocabFirst: u32,
  // What the embedding multiplies the table by.
  scale: f32,
}

@group(0) @binding(0) var<storage, read> dY: array<f32>;
@group(0) @binding(1) var<storage, read> tokens: array<u32>;
@group(0) @binding(2) var<storage, read> starts: array<u32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let use_index = linear_index(group, groups, 0u, 1u);
  if (use_index >= params.uses) {
    return;
  }
  let token = params.useFirst + use_index;
  let row = (tokens[token] - params.vocabFirst) * params.hidden;
  for (var col = local; col < params.hidden; col += WORKGROUP) {
    var sum = gradient[row + col];
    for (var i = starts[token]; i < starts[token + 1u]; i++) {
      sum += params.scale * dY[positions[i] * params.hidden + col];
    }
    gradient[row + col] = sum;
  }
}
