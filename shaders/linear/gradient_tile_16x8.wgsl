// gradient_tile_16x8: a block of dYᵀ · x, 16 weight rows by 4 + 4 columns, summed over all rows in the registers of one
// invocation: the weight's gradient, of which nothing reaches memory here.
//   x [rows, inner] · dY [rows, stride] · both read by four, so `inner`, `stride` and the columns asked for are multiples of 4
// Large: a software adapter pays for every load, hardly for registers.
// Joined between a weight file and a kernel; gradient_tile_any.wgsl takes any sizes. Reference: src/numerics/linearBackward.ts

@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> dY: array<vec4f>;

// Weight rows of a tile.
const TILE_ROWS = 16u;
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
  var y1 = min(c / 4u + 1u, c_last / 4u);
  var y2 = min(c / 4u + 2u, c_last / 4u);
  var y3 = min(c / 4u + 3u, c_last / 4u);
  var first0 = vec4f();
  var second0 = vec4f();
  var first1 = vec4f();
  var second1 = vec4f();
  var first2 = vec4f();
  var second2 = vec4f();
  var first3 = vec4f();
  var second3 = vec4f();
  var first4 = vec4f();
  var second4 = vec4f();
  var first5 = vec4f();
  var second5 = vec4f();
  var first6 = vec4f();
  var second6 = vec4f();
  var first7 = vec4f();
  var second7 = vec4f();
  var first8 = vec4f();
  var second8 = vec4f();
  var first9 = vec4f();
  var second9 = vec4f();
  var first10 = vec4f();
  var second10 = vec4f();
  var first11 = vec4f();
  var second11 = vec4f();
  var first12 = vec4f();
  var second12 = vec4f();
  var first13 = vec4f();
  var second13 = vec4f();
  var first14 = vec4f();
  var second14 = vec4f();
  var first15 = vec4f();
  var second15 = vec4f();
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
    let d1 = dY[y1];
    first4 += d1.x * left;
    second4 += d1.x * right;
    first5 += d1.y * left;
    second5 += d1.y * right;
    first6 += d1.z * left;
    second6 += d1.z * right;
    first7 += d1.w * left;
    second7 += d1.w * right;
    let d2 = dY[y2];
    first8 += d2.x * left;
    second8 += d2.x * right;
    first9 += d2.y * left;
    second9 += d2.y * right;
    first10 += d2.z * left;
    second10 += d2.z * right;
    first11 += d2.w * left;
    second11 += d2.w * right;
    let d3 = dY[y3];
    first12 += d3.x * left;
    second12 += d3.x * right;
    first13 += d3.y * left;
    second13 += d3.y * right;
    first14 += d3.z * left;
    second14 += d3.z * right;
    first15 += d3.w * left;
    second15 += d3.w * right;
    a += x_wide;
    b += x_wide;
    y0 += y_wide;
    y1 += y_wide;
    y2 += y_wide;
    y3 += y_wide;
  }
  return Tile(
    first0, second0,
    first1, second1,
    first2, second2,
    first3, second3,
    first4, second4,
    first5, second5,
    first6, second6,
    first7, second7,
    first8, second8,
    first9, second9,
    first10, second10,
    first11, second11,
    first12, second12,
    first13, second13,
    first14, second14,
    first15, second15,
  );
}
