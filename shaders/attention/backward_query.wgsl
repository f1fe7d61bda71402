// backward_query: gradients of the queries of causal grouped-query attention, and what the keys' gradients need of each query
//   qkv [sequences·seqLen, (heads + 2·kvHeads)·headDim] · dY, y [sequences·seqLen, heads·headDim] · lse [sequences·seqLen, heads]
//   dQkv as qkv: the query columns are written · delta [sequences·seqLen, heads] = Σ dY ⊙ y over a head
// dQ = Σ_keys P ⊙ (dY · vᵀ − delta) · k / √headDim with P = exp(q · kᵀ / √headDim − lse), recomputed;
// under a soft cap of scores, exp of the capped ones, and its slope beside P in what goes back.
// One invocation per (4 query rows, head, 16 channels of dQ), tasks taskFirst … taskFirst + tasks, walking the keys four at a
// time: no matrix of all scores ever exists. Matrices have a column per query row.
// Joined behind grid.wgsl, softcap.wgsl and backward_loads.wgsl. Reference: src/numerics/attentionBackward.ts

@group(0) @binding(3) var<storage, read> y: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dQkv: array<f32>;
@group(0) @binding(5) var<storage, read_write> delta: array<f32>;

fn y4(head: u32, channel: u32) -> vec4f {
  if (ALIGNED) {
    let four = y[(head + min(channel, params.headDim - 4u)) / 4u];
    return select(vec4f(), four, channel < params.headDim);
  }
  var four = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let at = head + min(channel + i, params.headDim - 1u);
    four[i] = select(0.0, y[at / 4u][at % 4u], channel + i < params.headDim);
  }
  return four;
}

// Rows of four channels to dQkv, for as many rows as the sequence has and channels as the head has.
fn store(out: mat4x4f, at: u32, stride: u32, channel: u32, rows: u32) {
  var values = out;
  for (var row = 0u; row < rows; row++) {
    for (var i = 0u; i < 4u; i++) {
      if (channel + i < params.headDim) {
        dQkv[at + row * stride + channel + i] = values[row][i];
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
  let task = params.taskFirst + index;
  let chunks = (params.headDim + 15u) / 16u;
  let blocks = (params.seqLen + 3u) / 4u;
  let channel = task % chunks * 16u;
  let head = task / chunks % params.heads;
  let query = task / (chunks * params.heads) % blocks * 4u;
  let first_row = task / (chunks * params.heads * blocks) * params.seqLen;

  let width = (params.heads + 2u * params.kvHeads) * params.headDim;
  let y_width = params.heads * params.headDim;
  let kv_head = head / (params.heads / params.kvHeads);
  let k_first = (params.heads + kv_head) * params.headDim;
  let v_first = k_first + params.kvHeads * params.headDim;
  let last = params.seqLen - 1u;
  let steps = vec4u(0u, 1u, 2u, 3u);
  let queries = min(vec4u(query) + steps, vec4u(last));
  let rows = first_row + queries;
  let q = rows * width + head * params.headDim;
  let out = rows * y_width + head * params.headDim;
  let at = rows * params.heads + head;
  let sums = vec4f(lse[at.x], lse[at.y], lse[at.z], lse[at.w]);

  var means = vec4f();
  for (var d = 0u; d < params.headDim; d += 4u) {
    means += vec4f(
      dot(dy4(out.x, d), y4(out.x, d)),
      dot(dy4(out.y, d), y4(out.y, d)),
      dot(dy4(out.z, d), y4(out.z, d)),
      dot(dy4(out.w, d), y4(out.w, d)),
    );
  }
  let stored = min(4u, params.seqLen - query);
  if (channel == 0u) {
    for (var i = 0u; i < stored; i++) {
      delta[at[i]] = means[i];
    }
  }

  var qs: Chunk;
  var dys: Chunk;
  if (WHOLE) {
    qs = qkv_chunk(q, channel);
    dys = dy_chunk(out, channel);
  }
  var out0 = mat4x4f();
  var out1 = mat4x4f();
  var out2 = mat4x4f();
  var out3 = mat4x4f();
  var first_key = 0u;
  if (WINDOW) {
    first_key = (max(query + 1u, params.window) - params.window) / 4u * 4u;
  }
  for (var key = first_key; key <= queries.w; key += 4u) {
    let keys = vec4u(key) + steps;
    let key_rows = (first_row + min(keys, vec4u(last))) * width;
    let at_k = key_rows + k_first;
    let at_v = key_rows + v_first;
    var scores = mat4x4f();
    var dShares = mat4x4f();
    var ks: Chunk;
    if (WHOLE) {
      ks = qkv_chunk(at_k, channel);
      scores = dot_rows(ks, qs);
      dShares = dot_rows(qkv_chunk(at_v, channel), dys);
    } else {
      for (var d = 0u; d < params.headDim; d += 4u) {
        scores += transpose(qkv4x4(at_k, d)) * qkv4x4(q, d);
        dShares += transpose(qkv4x4(at_v, d)) * dy4x4(out, d);
      }
    }
    let shares = mat4x4f(
      shares_of(scores[0], vec4f(sums.x), sees(vec4u(queries.x), keys)),
      shares_of(scores[1], vec4f(sums.y), sees(vec4u(queries.y), keys)),
      shares_of(scores[2], vec4f(sums.z), sees(vec4u(queries.z), keys)),
      shares_of(scores[3], vec4f(sums.w), sees(vec4u(queries.w), keys)),
    );
    let dScores = mat4x4f(
      score_gradients(shares[0], dShares[0], vec4f(means.x), scores[0]),
      score_gradients(shares[1], dShares[1], vec4f(means.y), scores[1]),
      score_gradients(shares[2], dShares[2], vec4f(means.z), scores[2]),
      score_gradients(shares[3], dShares[3], vec4f(means.w), scores[3]),
    );
    if (!WHOLE) {
      ks = qkv_chunk(at_k, channel);
    }
    out0 += ks.a * dScores;
    if (FOURS > 1u) {
      out1 += ks.b * dScores;
    }
    if (FOURS > 2u) {
      out2 += ks.c * dScores;
    }
    if (FOURS > 3u) {
      out3 += ks.d * dScores;
    }
  }
  store(out0 * params.scale, q.x, width, channel, stored);
  store(out1 * params.scale, q.x, width, channel + 4u, stored);
  store(out2 * params.scale, q.x, width, channel + 8u, stored);
  store(out3 * params.scale, q.x, width, channel + 12u, stored);
}
