// cache_scores: scores[row, head, k] = scale · q · key, within the soft cap, of queries against keys in the cache
//   qkv [·, (heads + 2·kvHeads)·headDim], `rows` rows from rowFirst; row r of the buffer has the position first + r
//   cache [slots, 2·kvHeads·headDim]: keys, then values; position p has slot p % slots · scores [rows, heads, keys]
// Column k is the position keyFirst + k. What a query does not see (later positions, and those `window` or more before it)
// gets LOWEST, and its key is not read: its slot may hold another token's.
// One invocation per score. Joined behind grid.wgsl and softcap.wgsl. Reference: src/numerics/attention.ts

struct Params {
  rows: u32,
  rowFirst: u32,
  first: u32,
  keyFirst: u32,
  keys: u32,
  slots: u32,
  heads: u32,
  kvHeads: u32,
  headDim: u32,
  window: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read> cache: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> scores: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
// headDim is a multiple of 4, so that four channels are one load.
override ALIGNED = true;

const LOWEST = -3.0e38;

fn dot_product(query: u32, key: u32) -> f32 {
  if (ALIGNED) {
    var sums = vec4f();
    for (var d = 0u; d < params.headDim / 4u; d++) {
      sums += qkv[query / 4u + d] * cache[key / 4u + d];
    }
    return dot(sums, vec4f(1.0));
  }
  var sum = 0.0;
  for (var d = 0u; d < params.headDim; d++) {
    let q = query + d;
    let k = key + d;
    sum += qkv[q / 4u][q % 4u] * cache[k / 4u][k % 4u];
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  if (index >= params.rows * params.heads * params.keys) {
    return;
  }
  let row = params.rowFirst + index / (params.heads * params.keys);
  let head = index / params.keys % params.heads;
  let key = params.keyFirst + index % params.keys;
  let position = params.first + row;
  if (key > position || key + params.window <= position) {
    scores[index] = LOWEST;
    return;
  }
  let width = (params.heads + 2u * params.kvHeads) * params.headDim;
  let kv_head = head / (params.heads / params.kvHeads);
  let query_at = row * width + head * params.headDim;
  let key_at = (key % params.slots * 2u * params.kvHeads + kv_head) * params.headDim;
  scores[index] = softcap(vec4f(dot_product(query_at, key_at) * params.scale)).x;
}
