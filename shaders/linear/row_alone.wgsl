// row_alone: every invocation has a product of its own: for a software adapter, where barriers are dear and nothing waits.
// Joined between a weight file and row.wgsl.

const GROUP = 64u;
const LANES = 1u;

fn together(sum: vec4f, local: u32) -> vec4f {
  return sum;
}
