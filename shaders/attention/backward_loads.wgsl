// backward_loads: what both backward kernels of attention share: inputs, reads of four rows by four channels, a score's gradient.
//   qkv [sequences·seqLen, (heads + 2·kvHeads)·headDim] · dY [sequences·seqLen, heads·headDim] · lse [sequences·seqLen, heads]
// Joined between grid.wgsl, softcap.wgsl and backward_query.wgsl or backward_key.wgsl. Reference: src/numerics/attentionBackward.ts

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
@group(0) @binding(1) var<storage, read> dY: array<vec4f>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
// headDim is a multiple of 4, so that four channels are one load.
override ALIGNED = true;
// No kernel asks for channels beyond headDim: it is a multiple of 16, or FOURS leaves them out.
override INSIDE = false;
// Fours of channels that one invocation writes: 4, or fewer where the head has fewer.
override FOURS = 4u;
// An invocation writes every channel of the head: what scores are made of serves the gradients too, and what belongs to the
// invocation's own rows is read once. Wider heads would need too many registers for that.
override WHOLE = false;
// Keys before the window are not seen.
override WINDOW = false;

// The channels that one invocation writes, of four rows: four channels by a column per row.
struct Chunk {
  a: mat4x4f,
  b: mat4x4f,
  c: mat4x4f,
  d: mat4x4f,
}

// Channels channel … channel + 3 of the head that begins at element `head`; zeros beyond headDim.
fn qkv4(head: u32, channel: u32) -> vec4f {
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

fn dy4(head: u32, channel: u32) -> vec4f {
  if (ALIGNED && INSIDE) {
    return dY[(head + channel) / 4u];
  }
  if (ALIGNED) {
    let four = dY[(head + min(channel, params.headDim - 4u)) / 4u];
    return select(vec4f(), four, channel < params.headDim);
  }
  var four = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let at = head + min(channel + i, params.headDim - 1u);
    four[i] = select(0.0, dY[at / 4u][at % 4u], channel + i < params.headDim);
  }
  return four;
}

// The same four channels of four rows that begin at `rows`, a column for each.
fn qkv4x4(rows: vec4u, channel: u32) -> mat4x4f {
  return mat4x4f(qkv4(rows.x, channel), qkv4(rows.y, channel), qkv4(rows.z, channel), qkv4(rows.w, channel));
}

fn dy4x4(rows: vec4u, channel: u32) -> mat4x4f {
  return mat4x4f(dy4(rows.x, channel), dy4(rows.y, channel), dy4(rows.z, channel), dy4(rows.w, channel));
}

fn qkv_chunk(rows: vec4u, channel: u32) -> Chunk {
  var chunk = Chunk(qkv4x4(rows, channel), mat4x4f(), mat4x4f(), mat4x4f());
  if (FOURS > 1u) {
    chunk.b = qkv4x4(rows, channel + 4u);
  }
  if (FOURS > 2u) {
    chunk.c = qkv4x4(rows, channel + 8u);
  }
  if (FOURS > 3u) {
    chunk.d = qkv4x4(rows, channel + 12u);
  }
  return chunk;
}

fn dy_chunk(rows: vec4u, channel: u32) -> Chunk {
  var chunk = Chunk(dy4x4(rows, channel), mat4x4f(), mat4x4f(), mat4x4f());
  if (FOURS > 1u) {
    chunk.b = dy4x4(rows, channel + 4u);
  }
  if (FOURS > 2u) {
    chunk.c = dy4x4(rows, channel + 8u);
  }
  if (FOURS > 3u) {
    chunk.d = dy4x4(rows, channel + 12u);
  }
  return chunk;
}

// Products over the channels: a row per row of `left`, a column per row of `right`.
fn dot_rows(left: Chunk, right: Chunk) -> mat4x4f {
  var sum = transpose(left.a) * right.a;
  if (FOURS > 1u) {
    sum += transpose(left.b) * right.b;
  }
  if (FOURS > 2u) {
    sum += transpose(left.c) * right.c;
  }
  if (FOURS > 3u) {
    sum += transpose(left.d) * right.d;
  }
  return sum;
}

// Softmax shares of four products q · k; 0 where a key is not seen.
fn shares_of(scores: vec4f, sums: vec4f, seen: vec4<bool>) -> vec4f {
  return select(vec4f(), exp(softcap(scores * params.scale) - sums), seen);
}

// Gradients of four scaled products q · k, from their shares and the gradients of those.
fn score_gradients(shares: vec4f, dShares: vec4f, means: vec4f, scores: vec4f) -> vec4f {
  return softcap_gradient(shares * (dShares - means), scores * params.scale);
}

// Which of four pairs of a query and a key count: the key is not behind the query, nor before its window.
fn sees(queries: vec4u, keys: vec4u) -> vec4<bool> {
  if (WINDOW) {
    return (keys <= queries) & (keys + params.window > queries);
  }
  return keys <= queries;
}
