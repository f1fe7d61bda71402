// weight_f32: the binding `weight` of float32 values, read by element or by four.
//   weight [any], padded to 16 bytes
// Joined in front of a kernel; weight_f16.wgsl and weight_bf16.wgsl offer the same two functions.

@group(0) @binding(0) var<storage, read> weight: array<vec4f>;

// Elements 4·index … 4·index + 3.
fn load_weight4(index: u32) -> vec4f {
  return weight[index];
}

fn load_weight(index: u32) -> f32 {
  return weight[index / 4u][index % 4u];
}
