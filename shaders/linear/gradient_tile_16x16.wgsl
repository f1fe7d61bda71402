// gradient_tile_16x16: a block of dYᵀ · x, 16 weight rows by 4 fours of columns, summed over all rows in the registers of one
// invocation: the weight's gradient, of which nothing reaches memory here.
//   x [rows, inner] · dY [rows, stride] · both read by four, so `inner`, `stride` and the columns asked for are multiples of 4
// The largest: a software adapter pays for every load, hardly for registers.
// Joined between gradient_tile_by_four.wgsl and a kernel; gradient_tile_any.wgsl takes any sizes. Reference: src/numerics/linearBackward.ts

// Weight rows of a tile.
const TILE_ROWS = 16u;
const TILE_COLS = 16u;
// Invocations of a workgroup: columns of tiles by rows of tiles. Few: a weight has few tiles of this size.
const GROUP_COLS = 8u;
const GROUP_ROWS = 2u;

// Columns c … of dY, up to c_last, against columns k … k + 15 of x, over `rows` rows, four at a time. What lies beyond a last
// column repeats others; the caller uses none of it.
fn gradient_tile(c: u32, c_last: u32, stride: u32, k: u32, inner: u32, rows: u32) -> Tile {
  let ka = min(k / 4u + 0u, inner / 4u - 1u);
  let kb = min(k / 4u + 1u, inner / 4u - 1u);
  let kc = min(k / 4u + 2u, inner / 4u - 1u);
  let kd = min(k / 4u + 3u, inner / 4u - 1u);
  let c0 = min(c / 4u + 0u, c_last / 4u);
  let c1 = min(c / 4u + 1u, c_last / 4u);
  let c2 = min(c / 4u + 2u, c_last / 4u);
  let c3 = min(c / 4u + 3u, c_last / 4u);
  // include sums_16x16
  for (var row = 0u; row < rows; row += 4u) {
    let four = vec4u(row) + vec4u(0u, 1u, 2u, 3u);
    let inside = select(vec4f(), vec4f(1.0), four < vec4u(rows));
    let x_rows = min(four, vec4u(rows - 1u)) * (inner / 4u);
    let y_rows = min(four, vec4u(rows - 1u)) * (stride / 4u);
    let xa = x4x4(x_rows, ka, inside);
    let xb = x4x4(x_rows, kb, inside);
    let xc = x4x4(x_rows, kc, inside);
    let xd = x4x4(x_rows, kd, inside);
    let d0 = dy4x4(y_rows, c0);
    r0a += xa * d0[0];
    r0b += xb * d0[0];
    r0c += xc * d0[0];
    r0d += xd * d0[0];
    r1a += xa * d0[1];
    r1b += xb * d0[1];
    r1c += xc * d0[1];
    r1d += xd * d0[1];
    r2a += xa * d0[2];
    r2b += xb * d0[2];
    r2c += xc * d0[2];
    r2d += xd * d0[2];
    r3a += xa * d0[3];
    r3b += xb * d0[3];
    r3c += xc * d0[3];
    r3d += xd * d0[3];
    let d1 = dy4x4(y_rows, c1);
    r4a += xa * d1[0];
    r4b += xb * d1[0];
    r4c += xc * d1[0];
    r4d += xd * d1[0];
    r5a += xa * d1[1];
    r5b += xb * d1[1];
    r5c += xc * d1[1];
    r5d += xd * d1[1];
    r6a += xa * d1[2];
    r6b += xb * d1[2];
    r6c += xc * d1[2];
    r6d += xd * d1[2];
    r7a += xa * d1[3];
    r7b += xb * d1[3];
    r7c += xc * d1[3];
    r7d += xd * d1[3];
    let d2 = dy4x4(y_rows, c2);
    r8a += xa * d2[0];
    r8b += xb * d2[0];
    r8c += xc * d2[0];
    r8d += xd * d2[0];
    r9a += xa * d2[1];
    r9b += xb * d2[1];
    r9c += xc * d2[1];
    r9d += xd * d2[1];
    r10a += xa * d2[2];
    r10b += xb * d2[2];
    r10c += xc * d2[2];
    r10d += xd * d2[2];
    r11a += xa * d2[3];
    r11b += xb * d2[3];
    r11c += xc * d2[3];
    r11d += xd * d2[3];
    let d3 = dy4x4(y_rows, c3);
    r12a += xa * d3[0];
    r12b += xb * d3[0];
    r12c += xc * d3[0];
    r12d += xd * d3[0];
    r13a += xa * d3[1];
    r13b += xb * d3[1];
    r13c += xc * d3[1];
    r13d += xd * d3[1];
    r14a += xa * d3[2];
    r14b += xb * d3[2];
    r14c += xc * d3[2];
    r14d += xd * d3[2];
    r15a += xa * d3[3];
    r15b += xb * d3[3];
    r15c += xc * d3[3];
    r15d += xd * d3[3];
  }
  // include result_16x16
}
