// backward_key: gradients of the keys and values of causal grouped-query attention
//   qkv [sequences·seqLen, (heads + 2·kvHeads)·headDim] · dY [sequences·seqLen, heads·headDim] · lse, delta [sequences·seqLen, heads]
//   dQkv as qkv: the key and value columns are written
// dV = Σ_queries P ⊙ dY, dK = Σ_queries P ⊙ (dY · vᵀ − delta) · q / √headDim with P = exp(q · kᵀ / √headDim − lse), recomputed;
// under a soft cap of scores, exp of the capped ones, and its slope beside P in what goes back.
// One invocation per (4 key rows, key/value head, 16 channels of dK and dV), tasks taskFirst … taskFirst + tasks, walking the
// queries of the group's heads four at a time. Matrices have a column per key row.
// Joined behind grid.wgsl, softcap.wgsl and backward_loads.wgsl. Reference: src/numerics/attentionBackward.ts

@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> dQkv: array<f32>;

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
  let kv_head = task / chunks % params.kvHeads;
  let key = task / (chunks * params.kvHeads) % blocks * 4u;
  let first_row = task / (chunks * params.kvHeads * blocks) * params.seqLen;

  let width = (params.heads + 2u * params.kvHeads) * params.headDim;
  let group_heads = params.heads / params.kvHeads;
  let last = params.seqLen - 1u;
  let steps = vec4u(0u, 1u, 2u, 3u);
  let keys = min(vec4u(key) + steps, vec4u(last));
  let k = (first_row + keys) * width + (params.heads + kv_head) * params.headDim;
  let v = k + params.kvHeads * params.headDim;

  var ks: Chunk;
  var vs: Chunk;
  if (WHOLE) {
    ks = qkv_chunk(k, channel);
    vs = qkv_chunk(v, channel);
  }
  var dk0 = mat4x4f();
  var dk1 = mat4x4f();
  var dk2 = mat4x4f();
  var dk3 = mat4x4f();
  var dv0 = mat4x4f();
  var dv1 = mat4x4f();
  var dv2 = mat4x4f();
  var dv3 = mat4x4f();
  var end = params.seqLen;
  if (WINDOW) {
    end = min(end, keys.w + params.window);
  }
  for (var head = kv_head * group_heads; head < (kv_head + 1u) * group_heads; head++) {
    for (var query = key; query < end; query += 4u) {
      let queries = vec4u(query) + steps;
      let inside = queries <= vec4u(last);
      let rows = first_row + min(queries, vec4u(last));
      let q = rows * width + head * params.headDim;
      let out = (rows * params.heads + head) * params.headDim;
      let at = rows * params.heads + head;
      let sums = vec4f(lse[at.x], lse[at.y], lse[at.z], lse[at.w]);
      let means = vec4f(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
      var scores = mat4x4f();
      var dShares = mat4x4f();
      var qs: Chunk;
      var dys: Chunk;
      if (WHOLE) {
        qs = qkv_chunk(q, channel);
        dys = dy_chunk(out, channel);
        scores = dot_rows(qs, ks);
        dShares = dot_rows(dys, vs);
      } else {
        for (var d = 0u; d < params.headDim; d += 4u) {
          scores += transpose(qkv4x4(q, d)) * qkv4x4(k, d);
          dShares += transpose(dy4x4(out, d)) * qkv4x4(v, d);
        }
      }
      let shares = mat4x4f(
        shares_of(scores[0], sums, inside & sees(queries, vec4u(keys.x))),
        shares_of(scores[1], sums, inside & sees(queries, vec4u(keys.y))),
        shares_of(scores[2], sums, inside & sees(queries, vec4u(keys.z))),
        shares_of(scores[3], sums, inside & sees(queries, vec4u(keys.w))),
      );
      let dScores = mat4x4f(
        score_gradients(shares[0], dShares[0], means, scores[0]),
        score_gradients(shares[1], dShares[1], means, scores[1]),
        score_gradients(shares[2], dShares[2], means, scores[2]),
        score_gradients(shares[3], dShares[3], means, scores[3]),
      );
      if (!WHOLE) {
        qs = qkv_chunk(q, channel);
        dys = dy_chunk(out, channel);
      }
      dk0 += qs.a * dScores;
      dv0 += dys.a * shares;
      if (FOURS > 1u) {
        dk1 += qs.b * dScores;
        dv1 += dys.b * shares;
      }
      if (FOURS > 2u) {
        dk2 += qs.c * dScores;
        dv2 += dys.c * shares;
      }
      if (FOURS > 3u) {
        dk3 += qs.d * dScores;
        dv3 += dys.d * shares;
      }
    }
  }
  let stored = min(4u, params.seqLen - key);
  store(dk0 * params.scale, k.x, width, channel, stored);
  store(dk1 * params.scale, k.x, width, channel + 4u, stored);
  store(dk2 * params.scale, k.x, width, channel + 8u, stored);
  store(dk3 * params.scale, k.x, width, channel + 12u, stored);
  store(dv0, v.x, width, channel, stored);
  store(dv1, v.x, width, channel + 4u, stored);
  store(dv2, v.x, width, channel + 8u, stored);
  store(dv3, v.x, width, channel + 12u, stored);
}
