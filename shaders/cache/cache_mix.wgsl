// cache_mix: of each query, head and chunk of `chunk` keys: the largest score, Σ exp(score − largest), and Σ exp(…) · value
//   scores [rows, heads, keys] as cache_scores.wgsl makes them · cache [slots, 2·kvHeads·headDim]: keys, then values
//   sums [rows, heads, chunks] of (largest, sum) · values [rows, heads, chunks, ⌈headDim/4⌉] of four channels
// One invocation per four channels of a chunk; cache_combine.wgsl joins the chunks. Values of keys that a query does
// not see are not read. Joined behind grid.wgsl. Reference: src/numerics/attention.ts

struct Params {
  rows: u32,
  keyFirst: u32,
  keys: u32,
  slots: u32,
  heads: u32,
  kvHeads: u32,
  headDim: u32,
  chunk: u32,
}

@group(0) @binding(0) var<storage, read> scores: array<f32>;
@group(0) @binding(1) var<storage, read> cache: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> values: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
// headDim is a multiple of 4, so that four channels are one load.
override ALIGNED = true;

const LOWEST = -3.0e38;

// Channels channel … channel + 3 of the head that begins at element `head`; zeros beyond headDim.
fn load4(head: u32, channel: u32) -> vec4f {
  if (ALIGNED) {
    return cache[(head + channel) / 4u];
  }
  var four = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let at = head + min(channel + i, params.headDim - 1u);
    four[i] = select(0.0, cache[at / 4u][at % 4u], channel + i < params.headDim);
  }
  return four;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let fours = (params.headDim + 3u) / 4u;
  let chunks = (params.keys + params.chunk - 1u) / params.chunk;
  if (index >= params.rows * params.heads * chunks * fours) {
    return;
  }
  let four = index % fours;
  let part = index / fours % chunks;
  let query = index / (fours * chunks); // row · heads + head
  let kv_head = query % params.heads / (params.heads / params.kvHeads);
  let begin = part * params.chunk;
  let end = min(begin + params.chunk, params.keys);
  let scores_at = query * params.keys;

  var largest = LOWEST;
  for (var k = begin; k < end; k++) {
    largest = max(largest, scores[scores_at + k]);
  }
  var sum = 0.0;
  var mixed = vec4f();
  for (var k = begin; k < end; k++) {
    let score = scores[scores_at + k];
    if (score != LOWEST) {
      let weight = exp(score - largest);
      let slot = (params.keyFirst + k) % params.slots;
      sum += weight;
      mixed += weight * load4(((2u * slot + 1u) * params.kvHeads + kv_head) * params.headDim, 4u * four);
    }
  }
  values[index] = mixed;
  if (four == 0u) {
    sums[index / fours] = vec2f(largest, sum);
  }
}
