// cache_append: the keys and values of `rows` tokens go to their slots of the cache; position p has slot p % slots
//   qkv [rows, (heads + 2·kvHeads)·headDim]: queries, keys, values of a row · cache [slots, 2·kvHeads·headDim]
// `cols` = 2·kvHeads·headDim columns from column `skip` on of each row; row 0 has the position `first`.
// One invocation per element. Joined behind grid.wgsl.

struct Params {
  rows: u32,
  cols: u32,
  skip: u32,
  first: u32,
  slots: u32,
}

@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> cache: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  if (index >= params.rows * params.cols) {
    return;
  }
  let row = index / params.cols;
  let col = index % params.cols;
  let slot = (params.first + row) % params.slots;
  cache[slot * params.cols + col] = qkv[row * (params.skip + params.cols) + params.skip + col];
}
