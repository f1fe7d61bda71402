// gradient_tile_by_four: what the tiles of dYᵀ · x that read by four share. A tile's file says how its sums come about.
//   x [rows, inner] · dY [rows, stride] · `inner`, `stride` and the columns asked for are multiples of 4
// Joined before it, behind a weight file. Reference: src/numerics/linearBackward.ts

@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> dY: array<vec4f>;

// Four elements of the weight from element `at`.
fn weight_four(at: u32) -> vec4f {
  return load_weight4(at / 4u);
}

// Column `col` (in fours) of four rows of x that begin at `rows`: a column of the matrix for each, 0 where `inside` is.
fn x4x4(rows: vec4u, col: u32, inside: vec4f) -> mat4x4f {
  return mat4x4f(
    x[rows.x + col] * inside.x,
    x[rows.y + col] * inside.y,
    x[rows.z + col] * inside.z,
    x[rows.w + col] * inside.w,
  );
}

// The same of dY, turned: a column of the matrix for each column of dY.
fn dy4x4(rows: vec4u, col: u32) -> mat4x4f {
  return transpose(mat4x4f(dY[rows.x + col], dY[rows.y + col], dY[rows.z + col], dY[rows.w + col]));
}
