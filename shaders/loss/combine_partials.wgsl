// combine_partials: lse = log Σ exp(logits[r]) and nll = lse − logit of the target, from the chunks of head_partials
//   partials [rows, chunks] of (largest, sum, target's logit, 0) · nll, lse [·] in nats, rows from nllFirst
// One invocation per row. Joined behind grid.wgsl. Reference: src/numerics/crossEntropy.ts

struct Params {
  rows: u32,
  chunks: u32,
  nllFirst: u32,
}

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> nll: array<f32>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = linear_index(group, groups, local, WORKGROUP);
  if (row >= params.rows) {
    return;
  }
  let first = row * params.chunks;
  var largest = partials[first].x;
  for (var chunk = 1u; chunk < params.chunks; chunk++) {
    largest = max(largest, partials[first + chunk].x);
  }
  var sum = 0.0;
  var target_logit = 0.0;
  for (var chunk = 0u; chunk < params.chunks; chunk++) {
    let part = partials[first + chunk];
    sum += part.y * exp(part.x - largest);
    target_logit += part.z;
  }
  // In this order the large parts of the loss cancel before the small one is added.
  nll[params.nllFirst + row] = log(sum) + (largest - target_logit);
  lse[params.nllFirst + row] = log(sum) + largest;
}
