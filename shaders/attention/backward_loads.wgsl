// backward_loads: what both backward kernels of attention share: inputs, reads of four rows by four channels, a score's gradient.
//   qkv [sequences·seqLen, (heads + 2·kvHeads)·headDim] · dY [sequences·seqLen, heads·headDim] · lse [sequences·seqLen, heads]
// Joined between grid.wgsl and backward_query.wgsl or backward_key.wgsl. Reference: src/numerics/attentionBackward.ts

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
// The head has no channels but those that an invocation writes.
override WHOLE = false;

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

// Channels of the head that another invocation writes: as many, and the i-th of them.
fn other_channels(channel: u32) -> u32 {
  return select(max(params.headDim, channel + 16u) - 16u, 0u, WHOLE);
}

fn other_channel(i: u32, channel: u32) -> u32 {
  return i + select(0u, 16u, i >= channel);
}

// What was read before the walk, where registers hold it through the walk: heads of at most 16 channels. Else it is read anew.
fn held_qkv(held: mat4x4f, rows: vec4u, channel: u32) -> mat4x4f {
  if (WHOLE) {
    return held;
  }
  return qkv4x4(rows, channel);
}

fn held_dy(held: mat4x4f, rows: vec4u, channel: u32) -> mat4x4f {
  if (WHOLE) {
    return held;
  }
  return dy4x4(rows, channel);
}

// Softmax shares of four scores q · k; 0 where a key is not seen.
fn shares_of(scores: vec4f, sums: vec4f, seen: vec4<bool>) -> vec4f {
  return select(vec4f(), exp(scores * params.scale - sums), seen);
}
