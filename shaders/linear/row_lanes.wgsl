// row_lanes: sixteen invocations share a dot product, so that their loads are adjacent and few columns keep a GPU busy.
// Joined between a weight file and row.wgsl. One barrier for all.

const GROUP = 64u;
const LANES = 16u;

var<workgroup> parts: array<vec4f, GROUP>;

// The sum over the lanes of an invocation's product; every invocation must come.
fn together(sum: vec4f, local: u32) -> vec4f {
  parts[local] = sum;
  workgroupBarrier();
  let first = local / LANES * LANES;
  var total = vec4f();
  for (var lane = 0u; lane < LANES; lane++) {
    total += parts[first + lane];
  }
  return total;
}
