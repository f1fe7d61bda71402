// attention: y = softmax(q · kᵀ / √headDim, keys up to the query's row) · v, grouped heads, by a streaming softmax
//   qkv [sequences·seqLen, (heads + 2·kvHeads)·headDim]: queries, keys, values of a row · y [sequences·seqLen, heads·headDim]
// One invocation per (4 query rows, head, 16 channels of y), tasks taskFirst … taskFirst + tasks. It walks the keys four at a
// time, keeping for each row the running maximum, the sum of exponentials and its 16 channels: no matrix of scores
// ever exists. Heads wider than 16 compute their scores once for each 16 channels.
// Joined behind grid.wgsl. Reference: src/numerics/attention.ts

struct Params {
  sequences: u32,
  seqLen: u32,
  heads: u32,
  kvHeads: u32,
  headDim: u32,
  scale: f32,
  taskFirst: u32,
  tasks: u32,
}

@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
// headDim is a multiple of 4, so that four channels are one load.
override ALIGNED = true;

const LOWEST = -3.0e38;

// Running state of one query row.
struct Row {
  largest: f32,
  sum: f32,
  out: mat4x4f,
}

// Channels channel … channel + 3 of the head that begins at element `head`; zeros beyond headDim.
fn load4(head: u32, channel: u32) -> vec4f {
  if (ALIGNED) {
    if (channel >= params.headDim) {
      return vec4f();
    }
    return qkv[(head + channel) / 4u];
  }
  var four = vec4f();
  for (var i = 0u; i < min(4u, params.headDim - min(channel, params.headDim)); i++) {
    let at = head + channel + i;
    four[i] = qkv[at / 4u][at % 4u];
  }
  return four;
}

// Takes the scores of four keys and their values (a column of 16 channels each) into the state.
fn take(row: Row, scores: vec4f, seen: vec4<bool>, v0: mat4x4f, v1: mat4x4f, v2: mat4x4f, v3: mat4x4f) -> Row {
  let masked = select(vec4f(LOWEST), scores * params.scale, seen);
  let largest = max(row.largest, max(max(masked.x, masked.y), max(masked.z, masked.w)));
  let keep = exp(row.largest - largest);
  let weights = select(vec4f(), exp(masked - largest), seen);
  let sum = row.sum * keep + weights.x + weights.y + weights.z + weights.w;
  return Row(largest, sum, row.out * keep + v0 * weights.x + v1 * weights.y + v2 * weights.z + v3 * weights.w);
}

fn load_values(head: u32, channel: u32) -> mat4x4f {
  return mat4x4f(
    load4(head, channel),
    load4(head, channel + 4u),
    load4(head, channel + 8u),
    load4(head, channel + 12u),
  );
}

fn store(row: Row, at: u32, channel: u32) {
  let out = row.out * (1.0 / row.sum);
  for (var i = 0u; i < min(16u, params.headDim - channel); i++) {
    y[at + i] = out[i / 4u][i % 4u];
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  if (index >= params.tasks) {
    return;
  }
  // Neighbours share their query rows, so they walk equally many keys.
  let task = params.taskFirst + index;
  let chunks = (params.headDim + 15u) / 16u;
  let blocks = (params.seqLen + 3u) / 4u;
  let channel = task % chunks * 16u;
  let head = task / chunks % params.heads;
  let query = task / (chunks * params.heads) % blocks * 4u;
  let first_row = task / (chunks * params.heads * blocks) * params.seqLen;

  let width = (params.heads + 2u * params.kvHeads) * params.headDim;
  let kv_head = head / (params.heads / params.kvHeads);
  let k_first = first_row * width + (params.heads + kv_head) * params.headDim;
  let v_first = k_first + params.kvHeads * params.headDim;
  let last = params.seqLen - 1u;
  let q_first = first_row * width + head * params.headDim;
  let q0 = q_first + query * width;
  let q1 = q_first + min(query + 1u, last) * width;
  let q2 = q_first + min(query + 2u, last) * width;
  let q3 = q_first + min(query + 3u, last) * width;

  var row0 = Row(LOWEST, 0.0, mat4x4f());
  var row1 = row0;
  var row2 = row0;
  var row3 = row0;
  for (var key = 0u; key <= min(query + 3u, last); key += 4u) {
    let at = min(vec4u(key) + vec4u(0u, 1u, 2u, 3u), vec4u(last)) * width;
    let k = at + k_first;
    var s0 = vec4f();
    var s1 = vec4f();
    var s2 = vec4f();
    var s3 = vec4f();
    for (var d = 0u; d < params.headDim; d += 4u) {
      let keys = transpose(mat4x4f(load4(k.x, d), load4(k.y, d), load4(k.z, d), load4(k.w, d)));
      s0 += keys * load4(q0, d);
      s1 += keys * load4(q1, d);
      s2 += keys * load4(q2, d);
      s3 += keys * load4(q3, d);
    }
    let v = at + v_first;
    let v0 = load_values(v.x, channel);
    let v1 = load_values(v.y, channel);
    let v2 = load_values(v.z, channel);
    let v3 = load_values(v.w, channel);
    let keys = vec4u(key) + vec4u(0u, 1u, 2u, 3u);
    row0 = take(row0, s0, keys <= vec4u(query), v0, v1, v2, v3);
    row1 = take(row1, s1, keys <= vec4u(min(query + 1u, last)), v0, v1, v2, v3);
    row2 = take(row2, s2, keys <= vec4u(min(query + 2u, last)), v0, v1, v2, v3);
    row3 = take(row3, s3, keys <= vec4u(min(query + 3u, last)), v0, v1, v2, v3);
  }
  let stride = params.heads * params.headDim;
  let out = (first_row + query) * stride + head * params.headDim + channel;
  store(row0, out, channel);
  if (query + 1u <= last) {
    store(row1, out + stride, channel);
  }
  if (query + 2u <= last) {
    store(row2, out + 2u * stride, channel);
  }
  if (query + 3u <= last) {
    store(row3, out + 3u * stride, channel);
  }
}
