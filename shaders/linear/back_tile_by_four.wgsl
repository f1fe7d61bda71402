// back_tile_by_four: what the tiles of the backward matmuls that read by four share. A tile's file says TILE_ROWS and TILE_COLS and
// how its sums come about. Joined before it.

// The columns of a tile's row, by four.
const TILE_FOURS = TILE_COLS / 4u;

// Sums of row i in [TILE_FOURS · i] … [TILE_FOURS · i + TILE_FOURS − 1].
alias Tile = array<vec4f, TILE_FOURS * TILE_ROWS>;

fn four_of(tile: ptr<function, Tile>, row: u32, four: u32) -> vec4f {
  return tile[TILE_FOURS * row + four];
}
