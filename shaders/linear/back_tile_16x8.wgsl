// back_tile_16x8: a block of dY · weight, 16 rows by 4 + 4 columns, held in the registers of one invocation.
//   dY [·, stride] f32 · weight [·, inner] · both read by four, so `stride`, `y_first` and `inner` are multiples of 4
// Large: a software adapter pays for every load, hardly for registers.
// Joined between back_tile_by_four.wgsl and a kernel; back_tile_any.wgsl takes any sizes. Reference: src/numerics/linearBackward.ts

@group(0) @binding(1) var<storage, read> dY: array<vec4f>;

const TILE_ROWS = 16u;
const TILE_COLS = 8u;
// Invocations of a workgroup: columns of tiles by rows of tiles.
const GROUP_COLS = 8u;
const GROUP_ROWS = 8u;

// Columns col … col + 7 of rows row … of dY[·, cols] from y_first times the `cols` weight rows from w_first. Beyond `last` that row
// repeats, and so do the last columns: the caller stores none of those products. From cols on dY is 0 up to a multiple of four,
// so that the weight rows there, whatever they hold, add nothing.
fn back_tile(row: u32, last: u32, stride: u32, y_first: u32, w_first: u32, cols: u32, col: u32, inner: u32) -> Tile {
  let wide = inner / 4u;
  let a = min(col / 4u, wide - 1u);
  let b = min(col / 4u + 1u, wide - 1u);
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
  // include sums_16x8
  var w = w_first * wide;
  for (var c = 0u; c < cols; c += 4u) {
    let left = mat4x4f(
      load_weight4(w + a),
      load_weight4(w + wide + a),
      load_weight4(w + 2u * wide + a),
      load_weight4(w + 3u * wide + a),
    );
    let right = mat4x4f(
      load_weight4(w + b),
      load_weight4(w + wide + b),
      load_weight4(w + 2u * wide + b),
      load_weight4(w + 3u * wide + b),
    );
    w += 4u * wide;
    let d0 = dY[y0 + c / 4u];
    first0 += left * d0;
    second0 += right * d0;
    let d1 = dY[y1 + c / 4u];
    first1 += left * d1;
    second1 += right * d1;
    let d2 = dY[y2 + c / 4u];
    first2 += left * d2;
    second2 += right * d2;
    let d3 = dY[y3 + c / 4u];
    first3 += left * d3;
    second3 += right * d3;
    let d4 = dY[y4 + c / 4u];
    first4 += left * d4;
    second4 += right * d4;
    let d5 = dY[y5 + c / 4u];
    first5 += left * d5;
    second5 += right * d5;
    let d6 = dY[y6 + c / 4u];
    first6 += left * d6;
    second6 += right * d6;
    let d7 = dY[y7 + c / 4u];
    first7 += left * d7;
    second7 += right * d7;
    let d8 = dY[y8 + c / 4u];
    first8 += left * d8;
    second8 += right * d8;
    let d9 = dY[y9 + c / 4u];
    first9 += left * d9;
    second9 += right * d9;
    let d10 = dY[y10 + c / 4u];
    first10 += left * d10;
    second10 += right * d10;
    let d11 = dY[y11 + c / 4u];
    first11 += left * d11;
    second11 += right * d11;
    let d12 = dY[y12 + c / 4u];
    first12 += left * d12;
    second12 += right * d12;
    let d13 = dY[y13 + c / 4u];
    first13 += left * d13;
    second13 += right * d13;
    let d14 = dY[y14 + c / 4u];
    first14 += left * d14;
    second14 += right * d14;
    let d15 = dY[y15 + c / 4u];
    first15 += left * d15;
    second15 += right * d15;
  }
  // include result_16x8
}
