// narrow: y[i, r] = Σ_k x[i, k] · weight[r, k], r < rank, for `rows` rows of x and y from `first` on
//   weight [rank, inner] · x [·, inner] · y [·, rank]
// One invocation per tile: a row of tiles is short, so that invocations side by side take rows.
// Joined behind grid.wgsl and the files of a tile whose invocations work alone. Reference: src/numerics/adapter.ts

struct Params {
  rows: u32,
  first: u32,
  inner: u32,
  rank: u32,
}

@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP = 64u;

fn store_half(row: u32, rank: u32, values: vec4f) {
  for (var r = 0u; r < TILE_HALF && rank + r < params.rank; r++) {
    y[row * params.rank + rank + r] = values[r];
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let across = (params.rank + TILE_COLS - 1u) / TILE_COLS;
  let row = index / across * TILE_ROWS;
  if (row >= params.rows) {
    return;
  }
  let rank = index % across * TILE_COLS;
  let last = params.rank - 1u;
  var tile = product_tile(
    vec2u(),
    params.first + row, params.first + params.rows - 1u,
    rank, last,
    rank + TILE_HALF, last,
    params.inner,
  );
  for (var i = 0u; i < min(TILE_ROWS, params.rows - row); i++) {
    store_half(params.first + row + i, rank, first_half(&tile, i));
    store_half(params.first + row + i, rank + TILE_HALF, second_half(&tile, i));
  }
}
