// back_tile_4x8: a block of dY · weight, 4 rows by 4 + 4 columns, held in the registers of one invocation.
//   dY [·, stride] f32 · weight [·, inner] · both read by four, so `stride`, `y_first` and `inner` are multiples of 4
// Small enough for any GPU's register file.
// Joined between back_tile_by_four.wgsl and a kernel; back_tile_any.wgsl takes any sizes. Reference: src/numerics/linearBackward.ts

@group(0) @binding(1) var<storage, read> dY: array<vec4f>;

const TILE_ROWS = 4u;
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
  var first0 = vec4f();
  var second0 = vec4f();
  var first1 = vec4f();
  var second1 = vec4f();
  var first2 = vec4f();
  var second2 = vec4f();
  var first3 = vec4f();
  var second3 = vec4f();
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
  }
  return Tile(
    first0, second0,
    first1, second1,
    first2, second2,
    first3, second3,
  );
}
