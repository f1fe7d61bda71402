// dropout: the factor of an element of a projection's input, 0 or 1 / (1 − rate), from its seeded hash
// Joined in front of a kernel whose Params have `seed`, `threshold` and `kept`. Reference: src/numerics/dropout.ts

// The finalizer of murmur3.
fn scramble(value: u32) -> u32 {
  var h = value;
  h = (h ^ (h >> 16u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}

fn drop_factor(element: u32) -> f32 {
  let hash = scramble(scramble(params.seed) ^ ((element + 1u) * 0x9e3779b9u));
  return select(params.kept, 0.0, hash < params.threshold);
}

// The factors of one column of four rows of `params.wide` elements.
fn drop_rows(row: u32, column: u32) -> vec4f {
  if (params.threshold == 0u) {
    return vec4f(1.0);
  }
  let element = row * params.wide + column;
  return vec4f(
    drop_factor(element),
    drop_factor(element + params.wide),
    drop_factor(element + 2u * params.wide),
    drop_factor(element + 3u * params.wide),
  );
}

// The factors of four columns of a row of `params.wide` elements.
fn drop_columns(row: u32, column: u32) -> vec4f {
  if (params.threshold == 0u) {
    return vec4f(1.0);
  }
  let element = row * params.wide + column;
  return vec4f(
    drop_factor(element),
    drop_factor(element + 1u),
    drop_factor(element + 2u),
    drop_factor(element + 3u),
  );
}
