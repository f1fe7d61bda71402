// mask_channels: x[row, j] = 0 where keep[j] is 0, in place: what follows reads x as if the channel were not there
//   x [rows, channels] · keep [channels]: 0 or 1
// Zero, not a product: a channel that is infinite goes too. One invocation per element of the rows. Joined behind grid.wgsl.
// Reference: src/numerics/maskChannels.ts

struct Params {
  rows: u32,
  channels: u32,
}

@group(0) @binding(0) var<storage, read> keep: array<u32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  if (index >= params.rows * params.channels) {
    return;
  }
  if (keep[index % params.channels] == 0u) {
    x[index] = 0.0;
  }
}
