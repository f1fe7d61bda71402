// combine_divergence: kl[klFirst + r] = KL(p ‖ q) of row r in nats, from the chunks of divergence_partials
//   partials [rows, chunks, 2] · kl [·]
// KL = Σ p (logit of p − logit of q) + lse(q) − lse(p); both log-sum-exps are large beside their difference, so that
// only the differences of their parts are taken. One invocation per row. Joined behind grid.wgsl.
// Reference: src/numerics/divergence.ts

struct Params {
  rows: u32,
  chunks: u32,
  klFirst: u32,
}

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> kl: array<f32>;
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
  let first = 2u * row * params.chunks;
  let end = first + 2u * params.chunks;
  var largest = vec2f(partials[first].x, partials[first + 1u].x);
  for (var at = first; at < end; at += 2u) {
    largest = max(largest, vec2f(partials[at].x, partials[at + 1u].x));
  }
  var sums = vec2f();
  var difference = 0.0;
  for (var at = first; at < end; at += 2u) {
    let p = partials[at];
    let q = partials[at + 1u];
    let fade = exp(vec2f(p.x, q.x) - largest);
    sums += vec2f(p.y, q.y) * fade;
    difference += p.z * fade.x;
  }
  kl[params.klFirst + row] = difference / sums.x + (largest.y - largest.x) + log(sums.y / sums.x);
}
