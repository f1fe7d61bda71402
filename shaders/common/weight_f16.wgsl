// weight_f16: the binding `weight` of float16 numbers packed two to a u32, read by element or by four.
//   weight [any], padded to 16 bytes; the lower 16 bits of a word come first
// Joined in front of a kernel. Needs no shader-f16. Reference: src/numerics/float16.ts

@group(0) @binding(0) var<storage, read> weight: array<vec2u>;

// Elements 4·index … 4·index + 3.
fn load_weight4(index: u32) -> vec4f {
  let words = weight[index];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}

// A row of odd length may begin in the middle of a word, so a single element is found by its own index.
fn load_weight(index: u32) -> f32 {
  return unpack2x16float(weight[index / 4u][(index / 2u) % 2u])[index % 2u];
}
