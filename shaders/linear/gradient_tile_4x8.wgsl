// gradient_tile_4x8: a block of dYᵀ · x, 4 weight rows by 4 + 4 columns, summed over all rows in the registers of one
// invocation: the weight's gradient, of which nothing reaches memory here.
//   x [rows, inner] · dY [rows, stride] · both read by four, so `inner`, `stride` and the columns asked for are multiples of 4
// Small enough for any GPU's register file.
// Joined between gradient_tile_by_four.wgsl and a kernel; gradient_tile_any.wgsl takes any sizes. Reference: src/numerics/linearBackward.ts

// Weight rows of a tile.
const TILE_ROWS = 4u;
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
  var first0 = vec4f();
  var second0 = vec4f();
  var first1 = vec4f();
  var second1 = vec4f();
  var first2 = vec4f();
  var second2 = vec4f();
  var first3 = vec4f();
  var second3 = vec4f();
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
  }
  return Tile(
    first0, second0,
    first1, second1,
    first2, second2,
    first3, second3,
  );
}
