// merge: y[first + c, k] = weight[first + c, k] + scale · Σ_r b[bFirst + c, r] · a[r, k], r < rank, for `rows` rows c
//   weight and y [·, inner] · a [rank, inner] · b [·, rank]; with rank 0 the rows are copied
// One invocation per eight rows and four columns. Joined behind grid.wgsl and a weight file. Reference: src/numerics/adapter.ts

struct Params {
  first: u32,
  rows: u32,
  inner: u32,
  bFirst: u32,
  rank: u32,
  scale: f32,
}

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

const ROWS = 8u;

fn weight_four(at: u32) -> vec4f {
  if (params.inner % 4u == 0u) {
    return load_weight4(at / 4u);
  }
  return vec4f(load_weight(at), load_weight(at + 1u), load_weight(at + 2u), load_weight(at + 3u));
}

fn store(row: u32, k: u32, sum: vec4f) {
  if (row >= params.rows) {
    return;
  }
  let at = (params.first + row) * params.inner + k;
  let value = weight_four(at) + params.scale * sum;
  for (var i = 0u; i < min(4u, params.inner - k); i++) {
    y[at + i] = value[i];
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let across = (params.inner + 3u) / 4u;
  let row = index / across * ROWS;
  if (row >= params.rows) {
    return;
  }
  let k = index % across * 4u;
  let rank = params.rank;
  let at = (params.bFirst + row) * rank;
  // Rows and columns beyond the last one have some value, which is not stored.
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  for (var r = 0u; r < rank; r++) {
    let from_a = r * params.inner + k;
    let four = vec4f(a[from_a], a[from_a + 1u], a[from_a + 2u], a[from_a + 3u]);
    let from_b = at + r;
    sum0 += b[from_b] * four;
    sum1 += b[from_b + rank] * four;
    sum2 += b[from_b + 2u * rank] * four;
    sum3 += b[from_b + 3u * rank] * four;
    sum4 += b[from_b + 4u * rank] * four;
    sum5 += b[from_b + 5u * rank] * four;
    sum6 += b[from_b + 6u * rank] * four;
    sum7 += b[from_b + 7u * rank] * four;
  }
  store(row, k, sum0);
  store(row + 1u, k, sum1);
  store(row + 2u, k, sum2);
  store(row + 3u, k, sum3);
  store(row + 4u, k, sum4);
  store(row + 5u, k, sum5);
  store(row + 6u, k, sum6);
  store(row + 7u, k, sum7);
}
