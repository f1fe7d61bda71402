// narrow_gradient: y[i, r] = Σ_c dY[i, column + c] · weight[c, r], c < cols, r < rank, for `rows` rows of dY and y from `first` on
//   weight [cols, rank] · dY [·, stride] · y [·, rank]
// One invocation per tile: a row of tiles is short, so that invocations side by side take rows.
// Joined behind grid.wgsl, a weight file and a back-tile file. Reference: src/numerics/adapter.ts

struct Params {
  rows: u32,
  first: u32,
  stride: u32,
  // The first of the columns of dY.
  column: u32,
  cols: u32,
  rank: u32,
}

@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP = 64u;

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
  let last = params.first + params.rows - 1u;
  var tile = back_tile(
    params.first + row, last, params.stride, params.column,
    0u, params.cols,
    rank, params.rank,
  );
  for (var i = 0u; i < min(TILE_ROWS, params.rows - row); i++) {
    let at = (params.first + row + i) * params.rank;
    for (var r = 0u; r < min(TILE_COLS, params.rank - rank); r++) {
      y[at + rank + r] = four_of(&tile, i, r / 4u)[r % 4u];
    }
  }
}
