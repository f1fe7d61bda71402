// weight_salience: partials[p] = (Σ |weight ⊙ g|, Σ g²) over one tile of the gradient g of a weight, see salience_take.wgsl
//   partials [⌈cols / tile rows⌉ · ⌈inner / tile columns⌉], row by row of tiles; written when carryOut is 0, else of any size
// One invocation per tile, of `tiles` rows of tiles from tileFirst. Joined behind salience_take.wgsl.
// Reference: src/numerics/linearBackward.ts

@group(0) @binding(4) var<storage, read_write> partials: array<vec2f>;

@compute @workgroup_size(GROUP_COLS, GROUP_ROWS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let tile_row = params.tileFirst + id.y;
  let row = tile_row * TILE_ROWS;
  let k = id.x * TILE_COLS;
  if (id.y >= params.tiles || row >= params.cols || k >= params.inner) {
    return;
  }
  var tile = gradient_tile(
    params.yFirst + row, params.yFirst + params.cols - 1u, params.stride,
    k, params.inner, params.rows,
  );
  var sums = vec2f();
  for (var i = 0u; i < min(TILE_ROWS, params.cols - row); i++) {
    for (var four = 0u; four < TILE_COLS / 4u; four++) {
      let taken = take(row + i, k + 4u * four, four_of(&tile, i, four));
      sums += vec2f(dot(taken.salience, vec4f(1.0)), taken.squares);
    }
  }
  if (params.carryOut == 0u) {
    partials[place_of(tile_row, id.x)] = sums;
  }
}
