// weight_salience: partials[p] = (Σ |weight ⊙ g|, Σ g²) over one tile of the gradient g = dYᵀ · x of a weight
//   weight [·, inner], `cols` rows from weightFirst · x [rows, inner] · dY [rows, stride], `cols` columns from yFirst;
//   without rows g is what is carried alone
//   carry [cols, inner], the gradient of the batches so far: read when carryIn is 1; written, instead of partials, when
//   carryOut is 1; else of any size · partials [⌈cols / tile rows⌉ · ⌈inner / tile columns⌉], row by row of tiles
// One invocation per tile, of `tiles` rows of tiles from tileFirst. Joined behind a weight file and a gradient-tile file.
// Reference: src/numerics/linearBackward.ts

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  stride: u32,
  yFirst: u32,
  weightFirst: u32,
  tileFirst: u32,
  tiles: u32,
  carryIn: u32,
  carryOut: u32,
}

@group(0) @binding(3) var<storage, read_write> carry: array<f32>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec2f>;
@group(1) @binding(0) var<uniform> params: Params;

// What four columns of a row add to (Σ |weight ⊙ g|, Σ g²): nothing while the gradient still gathers.
fn take(row: u32, k: u32, gradients: vec4f) -> vec2f {
  let at = row * params.inner + k;
  let inside = vec4u(k) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.inner);
  var g = select(vec4f(), gradients, inside);
  for (var i = 0u; i < 4u && params.carryIn == 1u; i++) {
    if (inside[i]) {
      g[i] += carry[at + i];
    }
  }
  if (params.carryOut == 0u) {
    let weights = select(vec4f(), weight_four(params.weightFirst * params.inner + at), inside);
    return vec2f(dot(abs(weights * g), vec4f(1.0)), dot(g, g));
  }
  for (var i = 0u; i < 4u; i++) {
    if (inside[i]) {
      carry[at + i] = g[i];
    }
  }
  return vec2f();
}

@compute @workgroup_size(GROUP_COLS, GROUP_ROWS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let tile_row = params.tileFirst + id.y;
  let row = tile_row * TILE_ROWS;
  let k = id.x * TILE_COLS;
  if (id.y >= params.tiles || row >= params.cols || k >= params.inner) {
    return;
  }
  var tile = gradient_tile(
    params.yFirst + row, params.yFirst + params.cols - 1u, params.stride,
    k, params.inner, params.rows,
  );
  var sums = vec2f();
  for (var i = 0u; i < min(TILE_ROWS, params.cols - row); i++) {
    for (var four = 0u; four < TILE_COLS / 4u; four++) {
      sums += take(row + i, k + 4u * four, four_of(&tile, i, four));
    }
  }
  if (params.carryOut == 0u) {
    partials[tile_row * ((params.inner + TILE_COLS - 1u) / TILE_COLS) + id.x] = sums;
  }
}
