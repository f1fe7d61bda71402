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
