// tile_f16: tile_4x8 with products in float16, 4 rows by 4 + 4 columns in the registers of one invocation.
//   x [·, inner] f32 · weight [·, inner] · both read by four, so `inner` is a multiple of 4
// Four products are summed in f16, their sums in f32: the error of a product is about 2⁻¹¹ of its terms however long the
// row. An activation beyond 65504 is infinite here, hence never chosen unasked.
// Joined between tile_by_four.wgsl and a kernel. Needs the feature 'shader-f16'. Reference: src/numerics/linear.ts

alias Half4 = vec4<f16>;
alias Half4x4 = mat4x4<f16>;

const TILE_ROWS = 4u;

// Invocations of a workgroup: columns of tiles by rows of tiles.
const GROUP_COLS = 8u;
const GROUP_ROWS = 8u;

// Every invocation works alone: one that has nothing to store may leave before the product.
fn may_leave(outside: bool) -> bool {
  return outside;
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
  let x0 = min(x_row + 0u, x_last) * steps;
  let x1 = min(x_row + 1u, x_last) * steps;
  let x2 = min(x_row + 2u, x_last) * steps;
  let x3 = min(x_row + 3u, x_last) * steps;
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
  for (var k = 0u; k < steps; k++) {
    let a = transpose(Half4x4(
      Half4(load_weight4(a0 + k)),
      Half4(load_weight4(a1 + k)),
      Half4(load_weight4(a2 + k)),
      Half4(load_weight4(a3 + k)),
    ));
    let b = transpose(Half4x4(
      Half4(load_weight4(b0 + k)),
      Half4(load_weight4(b1 + k)),
      Half4(load_weight4(b2 + k)),
      Half4(load_weight4(b3 + k)),
    ));
    let v0 = Half4(x[x0 + k]);
    first0 += vec4f(a * v0);
    second0 += vec4f(b * v0);
    let v1 = Half4(x[x1 + k]);
    first1 += vec4f(a * v1);
    second1 += vec4f(b * v1);
    let v2 = Half4(x[x2 + k]);
    first2 += vec4f(a * v2);
    second2 += vec4f(b * v2);
    let v3 = Half4(x[x3 + k]);
    first3 += vec4f(a * v3);
    second3 += vec4f(b * v3);
  }
  return Tile(
    first0, second0,
    first1, second1,
    first2, second2,
    first3, second3,
  );
}
