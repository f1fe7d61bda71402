// factor: what a norm multiplies by: its stored weight, and OFFSET more where weights are stored around 0.
// Joined in front of a kernel that binds `weight`.

override OFFSET = 0.0;

fn factor(index: u32) -> f32 {
  if (OFFSET != 0.0) {
    return OFFSET + weight[index];
  }
  return weight[index];
}

