// gradient_tile_4x8: a block of dYᵀ · x, 4 weight rows by 4 + 4 columns, summed over all rows in the registers of one
// invocation: the weight's gradient, of which nothing reaches memory here.
//   x [rows, inner] · dY [rows, stride] · both read by four, so `inner`, `stride` and the columns asked for are multiples of 4
// Small enough for any GPU's register file.
// Joined between a weight file and a kernel; gradient_tile_any.wgsl takes any sizes. Reference: src/numerics/linearBackward.ts

@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> dY: array<vec4f>;

// Weight rows of a tile.
const TILE_ROWS = 4u;
const TILE_HALF = 4u;
const TILE_COLS = 2u * TILE_HALF;

// Gradients of weight row i: the first half of the columns in [2i], the second in [2i + 1].
alias Tile = array<vec4f, 2u * TILE_ROWS>;

fn first_half(tile: ptr<function, Tile>, row: u32) -> vec4f {
  return tile[2u * row];
}

fn second_half(tile: ptr<function, Tile>, row: u32) -> vec4f {
  return tile[2u * row + 1u];
}

// Columns c … of dY, up to c_last, against columns k … k + 7 of x, over `rows` rows. What lies beyond a last column
// repeats others; the caller uses none of it.
fn gradient_tile(c: u32, c_last: u32, stride: u32, k: u32, inner: u32, rows: u32) -> Tile {
  let x_wide = inner / 4u;
  let y_wide = stride / 4u;
  var a = min(k / 4u, x_wide - 1u);
  var b = min(k / 4u + 1u, x_wide - 1u);
  var y0 = min(c / 4u + 0u, c_last / 4u);
  var first0 = vec4f();
  var second0 = vec4f();
  var first1 = vec4f();
  var second1 = vec4f();
  var first2 = vec4f();
  var second2 = vec4f();
  var first3 = vec4f();
  var second3 = vec4f();
  for (var row = 0u; row < rows; row++) {
    let left = x[a];
    let right = x[b];
    let d0 = dY[y0];
    first0 += d0.x * left;
    second0 += d0.x * right;
    first1 += d0.y * left;
    second1 += d0.y * right;
    first2 += d0.z * left;
    second2 += d0.z * right;
    first3 += d0.w * left;
    second3 += d0.w * right;
    a += x_wide;
    b += x_wide;
    y0 += y_wide;
  }
  return Tile(
    first0, second0,
    first1, second1,
    first2, second2,
    first3, second3,
  );
}
