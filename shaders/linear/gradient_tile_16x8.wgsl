// gradient_tile_16x8: a block of dYᵀ · x, 16 weight rows by 4 + 4 columns, summed over all rows in the registers of one
// invocation: the weight's gradient, of which nothing reaches memory here.
//   x [rows, inner] · dY [rows, stride] · both read by four, so `inner`, `stride` and the columns asked for are multiples of 4
// Large: a software adapter pays for every load, hardly for registers.
// Joined between gradient_tile_by_four.wgsl and a kernel; gradient_tile_any.wgsl takes any sizes. Reference: src/numerics/linearBackward.ts

// Weight rows of a tile.
const TILE_ROWS = 16u;
const TILE_COLS = 8u;
// Invocations of a workgroup: columns of tiles by rows of tiles.
const GROUP_COLS = 8u;
const GROUP_ROWS = 8u;

// Columns c … of dY, up to c_last, against columns k … k + 7 of x, over `rows` rows, four at a time. What lies beyond a last
// column repeats others; the caller uses none of it.
fn gradient_tile(c: u32, c_last: u32, stride: u32, k: u32, inner: u32, rows: u32) -> Tile {
  let a = min(k / 4u, inner / 4u - 1u);
  let b = min(k / 4u + 1u, inner / 4u - 1u);
  let c0 = min(c / 4u + 0u, c_last / 4u);
  let c1 = min(c / 4u + 1u, c_last / 4u);
  let c2 = min(c / 4u + 2u, c_last / 4u);
  let c3 = min(c / 4u + 3u, c_last / 4u);
  // include sums_16x8
  for (var row = 0u; row < rows; row += 4u) {
    let four = vec4u(row) + vec4u(0u, 1u, 2u, 3u);
    let inside = select(vec4f(), vec4f(1.0), four < vec4u(rows));
    let x_rows = min(four, vec4u(rows - 1u)) * (inner / 4u);
    let y_rows = min(four, vec4u(rows - 1u)) * (stride / 4u);
    let left = x4x4(x_rows, a, inside);
    let right = x4x4(x_rows, b, inside);
    let d0 = dy4x4(y_rows, c0);
    first0 += left * d0[0];
    second0 += right * d0[0];
    first1 += left * d0[1];
    second1 += right * d0[1];
    first2 += left * d0[2];
    second2 += right * d0[2];
    first3 += left * d0[3];
    second3 += right * d0[3];
    let d1 = dy4x4(y_rows, c1);
    first4 += left * d1[0];
    second4 += right * d1[0];
    first5 += left * d1[1];
    second5 += right * d1[1];
    first6 += left * d1[2];
    second6 += right * d1[2];
    first7 += left * d1[3];
    second7 += right * d1[3];
    let d2 = dy4x4(y_rows, c2);
    first8 += left * d2[0];
    second8 += right * d2[0];
    first9 += left * d2[1];
    second9 += right * d2[1];
    first10 += left * d2[2];
    second10 += right * d2[2];
    first11 += left * d2[3];
    second11 += right * d2[3];
    let d3 = dy4x4(y_rows, c3);
    first12 += left * d3[0];
    second12 += right * d3[0];
    first13 += left * d3[1];
    second13 += right * d3[1];
    first14 += left * d3[2];
    second14 += right * d3[2];
    first15 += left * d3[3];
    second15 += right * d3[3];
  }
  // include result_16x8
}
