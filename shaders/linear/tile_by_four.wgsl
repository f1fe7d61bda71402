// tile_by_four: what the tiles that read by four share. A tile's file says TILE_ROWS and how its product comes about.
//   x [·, inner] f32, `inner` a multiple of 4

@group(0) @binding(1) var<storage, read> x: array<vec4f>;

// Columns of a tile: two halves, whose weight rows need not be neighbours.
const TILE_HALF = 4u;
const TILE_COLS = 2u * TILE_HALF;

// Products of row i: the first half of the columns in [2i], the second in [2i + 1].
alias Tile = array<vec4f, 2u * TILE_ROWS>;

fn first_half(tile: ptr<function, Tile>, row: u32) -> vec4f {
  return tile[2u * row];
}

fn second_half(tile: ptr<function, Tile>, row: u32) -> vec4f {
  return tile[2u * row + 1u];
}
