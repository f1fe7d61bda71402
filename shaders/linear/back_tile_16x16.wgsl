// back_tile_16x16: a block of dY · weight, 16 rows by 4 fours of columns, held in the registers of one invocation.
//   dY [·, stride] f32 · weight [·, inner] · both read by four, so `stride`, `y_first` and `inner` are multiples of 4
// The largest: a software adapter pays for every load, hardly for registers.
// Joined between back_tile_by_four.wgsl and a kernel; back_tile_any.wgsl takes any sizes. Reference: src/numerics/linearBackward.ts

@group(0) @binding(1) var<storage, read> dY: array<vec4f>;

const TILE_ROWS = 16u;
const TILE_COLS = 16u;
// Invocations of a workgroup: columns of tiles by rows of tiles. Few: a weight has few tiles of this size.
const GROUP_COLS = 8u;
const GROUP_ROWS = 2u;

// Column `col` (in fours) of four weight rows that begin at `w`, a column of the matrix for each.
fn w4x4(w: u32, wide: u32, col: u32) -> mat4x4f {
  let at = w + col;
  return mat4x4f(
    load_weight4(at),
    load_weight4(at + wide),
    load_weight4(at + 2u * wide),
    load_weight4(at + 3u * wide),
  );
}

// Columns col … col + 15 of rows row … of dY[·, cols] from y_first times the `cols` weight rows from w_first. Beyond `last` that row
// repeats, and so do the last columns: the caller stores none of those products. From cols on dY is 0 up to a multiple of four,
// so that the weight rows there, whatever they hold, add nothing.
fn back_tile(row: u32, last: u32, stride: u32, y_first: u32, w_first: u32, cols: u32, col: u32, inner: u32) -> Tile {
  let wide = inner / 4u;
  let ka = min(col / 4u + 0u, wide - 1u);
  let kb = min(col / 4u + 1u, wide - 1u);
  let kc = min(col / 4u + 2u, wide - 1u);
  let kd = min(col / 4u + 3u, wide - 1u);
  let y0 = min(row + 0u, last) * (stride / 4u) + y_first / 4u;
  let y1 = min(row + 1u, last) * (stride / 4u) + y_first / 4u;
  let y2 = min(row + 2u, last) * (stride / 4u) + y_first / 4u;
  let y3 = min(row + 3u, last) * (stride / 4u) + y_first / 4u;
  let y4 = min(row + 4u, last) * (stride / 4u) + y_first / 4u;
  let y5 = min(row + 5u, last) * (stride / 4u) + y_first / 4u;
  let y6 = min(row + 6u, last) * (stride / 4u) + y_first / 4u;
  let y7 = min(row + 7u, last) * (stride / 4u) + y_first / 4u;
  let y8 = min(row + 8u, last) * (stride / 4u) + y_first / 4u;
  let y9 = min(row + 9u, last) * (stride / 4u) + y_first / 4u;
  let y10 = min(row + 10u, last) * (stride / 4u) + y_first / 4u;
  let y11 = min(row + 11u, last) * (stride / 4u) + y_first / 4u;
  let y12 = min(row + 12u, last) * (stride / 4u) + y_first / 4u;
  let y13 = min(row + 13u, last) * (stride / 4u) + y_first / 4u;
  let y14 = min(row + 14u, last) * (stride / 4u) + y_first / 4u;
  let y15 = min(row + 15u, last) * (stride / 4u) + y_first / 4u;
  // include sums_16x16
  var w = w_first * wide;
  for (var c = 0u; c < cols; c += 4u) {
    let wa = w4x4(w, wide, ka);
    let wb = w4x4(w, wide, kb);
    let wc = w4x4(w, wide, kc);
    let wd = w4x4(w, wide, kd);
    w += 4u * wide;
    let d0 = dY[y0 + c / 4u];
    r0a += wa * d0;
    r0b += wb * d0;
    r0c += wc * d0;
    r0d += wd * d0;
    let d1 = dY[y1 + c / 4u];
    r1a += wa * d1;
    r1b += wb * d1;
    r1c += wc * d1;
    r1d += wd * d1;
    let d2 = dY[y2 + c / 4u];
    r2a += wa * d2;
    r2b += wb * d2;
    r2c += wc * d2;
    r2d += wd * d2;
    let d3 = dY[y3 + c / 4u];
    r3a += wa * d3;
    r3b += wb * d3;
    r3c += wc * d3;
    r3d += wd * d3;
    let d4 = dY[y4 + c / 4u];
    r4a += wa * d4;
    r4b += wb * d4;
    r4c += wc * d4;
    r4d += wd * d4;
    let d5 = dY[y5 + c / 4u];
    r5a += wa * d5;
    r5b += wb * d5;
    r5c += wc * d5;
    r5d += wd * d5;
    let d6 = dY[y6 + c / 4u];
    r6a += wa * d6;
    r6b += wb * d6;
    r6c += wc * d6;
    r6d += wd * d6;
    let d7 = dY[y7 + c / 4u];
    r7a += wa * d7;
    r7b += wb * d7;
    r7c += wc * d7;
    r7d += wd * d7;
    let d8 = dY[y8 + c / 4u];
    r8a += wa * d8;
    r8b += wb * d8;
    r8c += wc * d8;
    r8d += wd * d8;
    let d9 = dY[y9 + c / 4u];
    r9a += wa * d9;
    r9b += wb * d9;
    r9c += wc * d9;
    r9d += wd * d9;
    let d10 = dY[y10 + c / 4u];
    r10a += wa * d10;
    r10b += wb * d10;
    r10c += wc * d10;
    r10d += wd * d10;
    let d11 = dY[y11 + c / 4u];
    r11a += wa * d11;
    r11b += wb * d11;
    r11c += wc * d11;
    r11d += wd * d11;
    let d12 = dY[y12 + c / 4u];
    r12a += wa * d12;
    r12b += wb * d12;
    r12c += wc * d12;
    r12d += wd * d12;
    let d13 = dY[y13 + c / 4u];
    r13a += wa * d13;
    r13b += wb * d13;
    r13c += wc * d13;
    r13d += wd * d13;
    let d14 = dY[y14 + c / 4u];
    r14a += wa * d14;
    r14b += wb * d14;
    r14c += wc * d14;
    r14d += wd * d14;
    let d15 = dY[y15 + c / 4u];
    r15a += wa * d15;
    r15b += wb * d15;
    r15c += wc * d15;
    r15d += wd * d15;
  }
  // include result_16x16
}
