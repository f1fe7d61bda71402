// distillation_gradient: from the logits of a chunk of the vocabulary to the gradients of the student's, in place
//   teacher [·, stride], logits behind their soft cap · targets [·] u32 · sums [·, 2] of distillation_sums, over the whole vocabulary
//   weights [·], of each row in the loss · dLogits [·, stride]: the student's logits z before their soft cap, replaced by
//   weights[r] · ((1 − share) · (softmax(z) − [target]) + share · T · (softmax(z / T) − softmax(teacher / T))), 0 from column cols on
// `rows` rows from `first`, `cols` columns from token vocabFirst. Four columns per invocation. Joined behind grid.wgsl and softcap.wgsl.
// Reference: src/numerics/distillation.ts

struct Params {
  rows: u32,
  first: u32,
  cols: u32,
  stride: u32,
  vocabFirst: u32,
  temperature: f32,
  // Of the divergence in the loss.
  share: f32,
}

@group(0) @binding(0) var<storage, read> teacher: array<vec4f>;
@group(0) @binding(1) var<storage, read> targets: array<u32>;
@group(0) @binding(2) var<storage, read> sums: array<vec4f>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> dLogits: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let quads = params.stride / 4u;
  let row = params.first + index / quads;
  if (row >= params.first + params.rows) {
    return;
  }
  let quad = index % quads;
  let place = row * quads + quad;
  let cols = vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u);
  let own = sums[2u * row];
  let taught = sums[2u * row + 1u];
  let raw = dLogits[place];
  let z = softcap(raw) - own.x;
  let t = teacher[place] - taught.x;
  let hit = select(vec4f(), vec4f(1.0), cols == vec4u(targets[row] - params.vocabFirst));
  let next_token = exp(z) / own.y - hit;
  let softened = exp(z / params.temperature) / own.z - exp(t / params.temperature) / taught.y;
  let gradient = weights[row] * ((1.0 - params.share) * next_token + params.share * params.temperature * softened);
  dLogits[place] = select(vec4f(), softcap_gradient(gradient, raw), cols < vec4u(params.cols));
}
