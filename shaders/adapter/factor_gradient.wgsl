// factor_gradient: y(k, r) = scale · Σ_i dY[i, first + k] · x[i, r], k < wide, r < rank, or that added to y
//   dY [rows, stride] · x [rows, rank] · y(k, r) = y[k · kStep + r · rStep], for `columns` k from kFirst on
// One invocation per tile, whose rows are k: a row of tiles is short. Joined behind grid.wgsl and a file of gradient tiles, which give
// the wide side its name dY, whichever side of a factor that is. Reference: src/numerics/adapter.ts

struct Params {
  rows: u32,
  stride: u32,
  first: u32,
  kFirst: u32,
  columns: u32,
  rank: u32,
  kStep: u32,
  rStep: u32,
  accumulate: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP = 64u;

// The tiles can read the weight whose gradient they gather; there is none here.
fn load_weight4(index: u32) -> vec4f {
  return vec4f();
}

fn load_weight(index: u32) -> f32 {
  return 0.0;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let along = (params.columns + TILE_ROWS - 1u) / TILE_ROWS;
  let rank = index / along * TILE_COLS;
  if (rank >= params.rank) {
    return;
  }
  let column = index % along * TILE_ROWS;
  let begin = params.first + params.kFirst;
  var tile = gradient_tile(
    begin + column, begin + params.columns - 1u, params.stride,
    rank, params.rank, params.rows,
  );
  for (var c = 0u; c < min(TILE_ROWS, params.columns - column); c++) {
    for (var r = 0u; r < min(TILE_COLS, params.rank - rank); r++) {
      let at = (params.kFirst + column + c) * params.kStep + (rank + r) * params.rStep;
      var sum = params.scale * four_of(&tile, c, r / 4u)[r % 4u];
      if (params.accumulate == 1u) {
        sum += y[at];
      }
      y[at] = sum;
    }
  }
}
