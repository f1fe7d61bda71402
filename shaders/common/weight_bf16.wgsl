// weight_bf16: the binding `weight` of bfloat16 values packed two to a u32, read by element or by four.
//   weight [any], padded to 16 bytes; the lower 16 bits of a word come first
// Joined in front of a kernel. A bfloat16 is the upper half of a float32. Reference: src/numerics/float16.ts

@group(0) @binding(0) var<storage, read> weight: array<vec2u>;

// Elements 4·index … 4·index + 3.
fn load_weight4(index: u32) -> vec4f {
  let words = weight[index];
  return bitcast<vec4f>(vec4u(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u));
}

fn load_weight(index: u32) -> f32 {
  let word = weight[index / 4u][(index / 2u) % 2u];
  return bitcast<f32>(select(word << 16u, word & 0xffff0000u, index % 2u == 1u));
}
