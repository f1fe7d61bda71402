// tile_subgroup: a block of x · weightᵀ, 8 rows by 64 · (4 + 4) columns, shared by the 64 invocations of a workgroup
//   x [·, inner] f32 · weight [·, inner] · both read by four, so `inner` is a multiple of 4
// All invocations work on the same rows of x. Each lane of a subgroup fetches another part of them, and the lanes hand
// the parts round: neither workgroup memory nor barriers. Right for any subgroup size: the lanes count themselves, and
// because the whole workgroup shares its rows it does not matter which invocations form a subgroup.
// Joined between tile_by_four.wgsl and a kernel; tile_any.wgsl takes any `inner`. Needs the feature 'subgroups'.
// Reference: src/numerics/linear.ts

const TILE_ROWS = 8u;
// Invocations of a workgroup: columns of tiles by rows of tiles.
const GROUP_COLS = 64u;
const GROUP_ROWS = 1u;

// No invocation returns before the sum: a lane that has returned has nothing to share.
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
  let lanes = subgroupAdd(1u);
  let lane = subgroupExclusiveAdd(1u);
  let x0 = min(x_row + 0u, x_last) * steps;
  let x1 = min(x_row + 1u, x_last) * steps;
  let x2 = min(x_row + 2u, x_last) * steps;
  let x3 = min(x_row + 3u, x_last) * steps;
  let x4 = min(x_row + 4u, x_last) * steps;
  let x5 = min(x_row + 5u, x_last) * steps;
  let x6 = min(x_row + 6u, x_last) * steps;
  let x7 = min(x_row + 7u, x_last) * steps;
  let a0 = min(w_first + 0u, w_first_last) * steps;
  let a1 = min(w_first + 1u, w_first_last) * steps;
  let a2 = min(w_first + 2u, w_first_last) * steps;
  let a3 = min(w_first + 3u, w_first_last) * steps;
  let b0 = min(w_second + 0u, w_second_last) * steps;
  let b1 = min(w_second + 1u, w_second_last) * steps;
  let b2 = min(w_second + 2u, w_second_last) * steps;
  let b3 = min(w_second + 3u, w_second_last) * steps;
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
  for (var begin = 0u; begin < steps; begin += lanes) {
    let mine = min(begin + lane, steps - 1u);
    let part0 = x[x0 + mine];
    let part1 = x[x1 + mine];
    let part2 = x[x2 + mine];
    let part3 = x[x3 + mine];
    let part4 = x[x4 + mine];
    let part5 = x[x5 + mine];
    let part6 = x[x6 + mine];
    let part7 = x[x7 + mine];
    for (var k = begin; k < min(begin + lanes, steps); k++) {
      let a = transpose(mat4x4f(load_weight4(a0 + k), load_weight4(a1 + k), load_weight4(a2 + k), load_weight4(a3 + k)));
      let b = transpose(mat4x4f(load_weight4(b0 + k), load_weight4(b1 + k), load_weight4(b2 + k), load_weight4(b3 + k)));
      let v0 = subgroupShuffle(part0, k - begin);
      first0 += a * v0;
      second0 += b * v0;
      let v1 = subgroupShuffle(part1, k - begin);
      first1 += a * v1;
      second1 += b * v1;
      let v2 = subgroupShuffle(part2, k - begin);
      first2 += a * v2;
      second2 += b * v2;
      let v3 = subgroupShuffle(part3, k - begin);
      first3 += a * v3;
      second3 += b * v3;
      let v4 = subgroupShuffle(part4, k - begin);
      first4 += a * v4;
      second4 += b * v4;
      let v5 = subgroupShuffle(part5, k - begin);
      first5 += a * v5;
      second5 += b * v5;
      let v6 = subgroupShuffle(part6, k - begin);
      first6 += a * v6;
      second6 += b * v6;
      let v7 = subgroupShuffle(part7, k - begin);
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
