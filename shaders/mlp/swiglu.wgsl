// swiglu: y[r, c] = silu(x[r] · gate[c]) · (x[r] · up[c]), both projections and the activation in one kernel
//   weight [2·ffn, inner]: gate rows, then up rows · x [·, inner], `rows` rows from xFirst · y [rows, ffn]
// One invocation per tile of y. Joined behind a weight file and a tile file. Reference: src/numerics/swiglu.ts

struct Params {
  rows: u32,
  inner: u32,
  ffn: u32,
  xFirst: u32,
  yFirst: u32,
}

@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

const VECTORS = TILE_COLS / 4u;

// The exponent is bounded so that exp stays finite: beyond it the quotient is 0 in float32 anyway.
fn silu(value: vec4f) -> vec4f {
  return value / (1.0 + exp(min(-value, vec4f(88.0))));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE_ROWS;
  let col = id.x * TILE_COLS;
  if (row >= params.rows || col >= params.ffn) {
    return;
  }
  let first = params.xFirst + row;
  let end = params.xFirst + params.rows;
  var gate = product_tile(first, end, col, params.ffn, params.inner);
  var up = product_tile(first, end, params.ffn + col, 2u * params.ffn, params.inner);
  let rows = min(TILE_ROWS, params.rows - row);
  let cols = min(TILE_COLS, params.ffn - col);
  for (var i = 0u; i < rows; i++) {
    for (var v = 0u; v < VECTORS; v++) {
      gate[i * VECTORS + v] = silu(gate[i * VECTORS + v]) * up[i * VECTORS + v];
    }
    let at = (params.yFirst + row + i) * params.ffn + col;
    for (var j = 0u; j < cols; j++) {
      y[at + j] = gate[i * VECTORS + j / 4u][j % 4u];
    }
  }
}
