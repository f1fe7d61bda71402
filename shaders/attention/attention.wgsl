// attention: y = softmax(q · kᵀ / √headDim, keys up to the query's row) · v, grouped heads, by a streaming softmax
//   qkv [sequences·seqLen, (heads + 2·kvHeads)·headDim]: queries, keys, values of a row · y [sequences·seqLen, heads·headDim]
//   lse [sequences·seqLen, heads]: the log-sum-exp of a query's scores, for the backward pass
// The scaled scores pass the soft cap. With WINDOW a query sees only the last `window` keys up to its own row, and the walk begins at
// the first that one of its four rows sees.
// One invocation per (4 query rows, head, 16 channels of y), tasks taskFirst … taskFirst + tasks. It walks the keys four at a
// time, keeping for each row the running maximum, the sum of exponentials and its 16 channels: no matrix of all scores
// ever exists. Heads wider than 16 compute their scores once for each 16 channels. Matrices below have a column per
// query row, so that four rows times four keys are one matrix multiplication.
// Joined behind grid.wgsl and softcap.wgsl. Reference: src/numerics/attention.ts

struct Params {
  sequences: u32,
  seqLen: u32,
  heads: u32,
  kvHeads: u32,
  headDim: u32,
  scale: f32,
  taskFirst: u32,
  tasks: u32,
  // Keys that a query sees, its own row included; read with WINDOW.
  window: u32,
}

@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
// headDim is a multiple of 4, so that four channels are one load.
override ALIGNED = true;
// headDim is a multiple of 16, so that no channel beyond it is asked for.
override INSIDE = false;
// Keys before the window are not seen.
override WINDOW = false;

const LOWEST = -3.0e38;

// Channels channel … channel + 3 of the head that begins at element `head`; zeros beyond headDim.
fn load4(head: u32, channel: u32) -> vec4f {
  if (ALIGNED && INSIDE) {
    return qkv[(head + channel) / 4u];
  }
  if (ALIGNED) {
    let four = qkv[(head + min(channel, params.headDim - 4u)) / 4u];
    return select(vec4f(), four, channel < params.headDim);
  }
  var four = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let at = head + min(channel + i, params.headDim - 1u);
    four[i] = select(0.0, qkv[at / 4u][at % 4u], channel + i < params.headDim);
  }
  return four;
}

// The same four channels of four rows that begin at `rows`, a column for each.
fn load4x4(rows: vec4u, channel: u32) -> mat4x4f {
  return mat4x4f(load4(rows.x, channel), load4(rows.y, channel), load4(rows.z, channel), load4(rows.w, channel));
}

fn scale_columns(matrix: mat4x4f, by: vec4f) -> mat4x4f {
  return mat4x4f(matrix[0] * by.x, matrix[1] * by.y, matrix[2] * by.z, matrix[3] * by.w);
}

fn largest_of(four: vec4f) -> f32 {
  return max(max(four.x, four.y), max(four.z, four.w));
}

// Which of four keys a query sees.
fn sees(query: u32, keys: vec4u) -> vec4<bool> {
  if (WINDOW) {
    return (keys <= vec4u(query)) & (keys + params.window > vec4u(query));
  }
  return keys <= vec4u(query);
}

// The first key that the walk of a query's row looks at.
fn first_key(query: u32) -> u32 {
  if (WINDOW) {
    return (max(query + 1u, params.window) - params.window) / 4u * 4u;
  }
  return 0u;
}

// Rows of four channels to y, for as many rows as the sequence has and channels as the head has.
fn store(out: mat4x4f, at: u32, stride: u32, channel: u32, rows: u32) {
  var values = out;
  for (var row = 0u; row < rows; row++) {
    for (var i = 0u; i < 4u; i++) {
      if (channel + i < params.headDim) {
        y[at + row * stride + channel + i] = values[row][i];
      }
    }
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
  let steps = vec4u(0u, 1u, 2u, 3u);
  let queries = min(vec4u(query) + steps, vec4u(last));
  let q = first_row * width + head * params.headDim + queries * width;

  var largest = vec4f(LOWEST);
  var sum = vec4f();
  var out0 = mat4x4f();
  var out1 = mat4x4f();
  var out2 = mat4x4f();
  var out3 = mat4x4f();
  for (var key = first_key(query); key <= queries.w; key += 4u) {
    let keys = vec4u(key) + steps;
    let rows = min(keys, vec4u(last)) * width;
    var scores = mat4x4f();
    for (var d = 0u; d < params.headDim; d += 4u) {
      scores += transpose(load4x4(rows + k_first, d)) * load4x4(q, d);
    }
    scores = mat4x4f(
      select(vec4f(LOWEST), softcap(scores[0] * params.scale), sees(queries.x, keys)),
      select(vec4f(LOWEST), softcap(scores[1] * params.scale), sees(queries.y, keys)),
      select(vec4f(LOWEST), softcap(scores[2] * params.scale), sees(queries.z, keys)),
      select(vec4f(LOWEST), softcap(scores[3] * params.scale), sees(queries.w, keys)),
    );
    let seen = vec4f(largest_of(scores[0]), largest_of(scores[1]), largest_of(scores[2]), largest_of(scores[3]));
    let now = max(largest, seen);
    let keep = exp(largest - now);
    // Every row sees key 0 in the first step, so `now` is a real score and what is masked vanishes. In a window a row may see
    // none at first: what it then sums by equal weights is finite, and vanishes with `keep` = 0 at its first real score.
    let weights = mat4x4f(
      exp(scores[0] - now.x),
      exp(scores[1] - now.y),
      exp(scores[2] - now.z),
      exp(scores[3] - now.w),
    );
    largest = now;
    sum = sum * keep + vec4f(1.0) * weights;
    let values = rows + v_first;
    out0 = scale_columns(out0, keep) + load4x4(values, channel) * weights;
    out1 = scale_columns(out1, keep) + load4x4(values, channel + 4u) * weights;
    out2 = scale_columns(out2, keep) + load4x4(values, channel + 8u) * weights;
    out3 = scale_columns(out3, keep) + load4x4(values, channel + 12u) * weights;
  }
  let stride = params.heads * params.headDim;
  let at = (first_row + query) * stride + head * params.headDim;
  let rows = min(4u, params.seqLen - query);
  if (channel == 0u) {
    let sums = largest + log(sum);
    for (var row = 0u; row < rows; row++) {
      lse[(first_row + query + row) * params.heads + head] = sums[row];
    }
  }
  store(scale_columns(out0, 1.0 / sum), at, stride, channel, rows);
  store(scale_columns(out1, 1.0 / sum), at, stride, channel + 4u, rows);
  store(scale_columns(out2, 1.0 / sum), at, stride, channel + 8u, rows);
  store(scale_columns(out3, 1.0 / sum), at, stride, channel + 12u, rows);
}
