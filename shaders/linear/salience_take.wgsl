// salience_take: what four columns of a row of the gradient g = dYᵀ · x give: g itself is stored nowhere but in carry
//   weight [·, inner], `cols` rows from weightFirst · x [rows, inner] · dY [rows, stride], `cols` columns from yFirst;
//   without rows g is what is carried alone
//   carry [cols, inner], the gradient of the batches so far: read when carryIn is 1, written when carryOut is 1; else of any size
// Joined between a gradient-tile file and weight_salience.wgsl, row_salience.wgsl or column_salience.wgsl.

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
@group(1) @binding(0) var<uniform> params: Params;

struct Taken {
  // |weight ⊙ g| of the four columns, 0 beyond the last one.
  salience: vec4f,
  // Σ g²
  squares: f32,
}

// Nothing while the gradient still gathers.
fn take(row: u32, k: u32, gradients: vec4f) -> Taken {
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
    return Taken(abs(weights * g), dot(g, g));
  }
  for (var i = 0u; i < 4u; i++) {
    if (inside[i]) {
      carry[at + i] = g[i];
    }
  }
  return Taken();
}

// Where the sums of a tile go: the tiles lie row by row.
fn place_of(tile_row: u32, tile_col: u32) -> u32 {
  return tile_row * ((params.inner + TILE_COLS - 1u) / TILE_COLS) + tile_col;
}
