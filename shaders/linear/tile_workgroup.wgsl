// tile_workgroup: a block of x · weightᵀ, 64 rows by 32 + 32 columns, shared by the 64 invocations of a workgroup
//   x [·, inner] f32 · weight [·, inner] · both read by four, so `inner` is a multiple of 4
// The rows are staged 16 values deep in workgroup memory, so that each is read once by the workgroup rather than once by
// each of the eight invocations that need it; an invocation holds 8 rows by 4 + 4 columns in its registers. The product
// takes barriers: every invocation must come to it. Pays where barriers are cheap, not on a software adapter.
// Joined between tile_by_four.wgsl and a kernel; tile_any.wgsl takes any `inner`. Reference: src/numerics/linear.ts

const TILE_ROWS = 8u;
// Invocations of a workgroup: columns of tiles by rows of tiles.
const GROUP_COLS = 8u;
const GROUP_ROWS = 8u;

// Values by four of each row that are staged at a time.
const DEPTH = 4u;
// Weight rows of the workgroup; the same row of all eight tiles side by side, since neighbours read them together.
const W_STRIDE = GROUP_COLS * TILE_COLS;
// Rows of x of one row of tiles; one is left out behind eight, so that neighbouring rows of tiles lie in other banks.
const X_TILE = TILE_ROWS + 1u;
const X_STRIDE = GROUP_ROWS * X_TILE;
var<workgroup> w_stage: array<vec4f, DEPTH * W_STRIDE>;
var<workgroup> x_stage: array<vec4f, DEPTH * X_STRIDE>;

// No invocation returns before the sum: the barriers wait for all.
fn may_leave(outside: bool) -> bool {
  return false;
}

// Rows from x_row up to x_last times weight rows from w_first and from w_second, up to w_first_last and w_second_last.
// Beyond a last row that row repeats; the caller stores none of those products. `place` is the invocation's in the grid.
fn product_tile(
  place: vec2u,
  x_row: u32,
  x_last: u32,
  w_first: u32,
  w_first_last: u32,
  w_second: u32,
  w_second_last: u32,
  inner: u32,
) -> Tile {
  let steps = inner / 4u;
  let lane = place % vec2u(GROUP_COLS, GROUP_ROWS);
  // Of the eight rows of x that its row of tiles needs an invocation fetches one, and one of its column's weight rows.
  let x_from = min(x_row + lane.x, x_last) * steps;
  let w_in_first = min(w_first + lane.y, w_first_last);
  let w_in_second = min(w_second + lane.y - TILE_HALF, w_second_last);
  let w_from = select(w_in_second, w_in_first, lane.y < TILE_HALF) * steps;
  let x_put = lane.y * X_TILE + lane.x;
  let w_put = lane.y * GROUP_COLS + lane.x;
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
  for (var begin = 0u; begin < steps; begin += DEPTH) {
    // The stage before has been read by all.
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      var x_value = vec4f();
      var w_value = vec4f();
      if (begin + k < steps) {
        x_value = x[x_from + begin + k];
        w_value = load_weight4(w_from + begin + k);
      }
      x_stage[k * X_STRIDE + x_put] = x_value;
      w_stage[k * W_STRIDE + w_put] = w_value;
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      let w = k * W_STRIDE + lane.x;
      let a = transpose(mat4x4f(w_stage[w], w_stage[w + 8u], w_stage[w + 16u], w_stage[w + 24u]));
      let b = transpose(mat4x4f(w_stage[w + 32u], w_stage[w + 40u], w_stage[w + 48u], w_stage[w + 56u]));
      let x_at = k * X_STRIDE + lane.y * X_TILE;
      let v0 = x_stage[x_at + 0u];
      first0 += a * v0;
      second0 += b * v0;
      let v1 = x_stage[x_at + 1u];
      first1 += a * v1;
      second1 += b * v1;
      let v2 = x_stage[x_at + 2u];
      first2 += a * v2;
      second2 += b * v2;
      let v3 = x_stage[x_at + 3u];
      first3 += a * v3;
      second3 += b * v3;
      let v4 = x_stage[x_at + 4u];
      first4 += a * v4;
      second4 += b * v4;
      let v5 = x_stage[x_at + 5u];
      first5 += a * v5;
      second5 += b * v5;
      let v6 = x_stage[x_at + 6u];
      first6 += a * v6;
      second6 += b * v6;
      let v7 = x_stage[x_at + 7u];
      first7 += a * v7;
      second7 += b * v7;
    }
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
  );
}
