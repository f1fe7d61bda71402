// head_norm_gradient: partials[p, i] = Σ dY[r, h, i] · x[r, h, i] · rstd[r, h] over the p-th `partRows` rows and the heads of one kind:
// parts of the gradient of the weight that queries or keys are normalized with
//   x, dY [rows, width]: `heads` heads of headDim from column `first` · rstd [rows, rstdStride], the heads' from rstdFirst
//   partials [⌈rows / partRows⌉, headDim]
// One invocation per part and channel. Joined behind grid.wgsl. Reference: src/numerics/rmsnormBackward.ts on rows of headDim

struct Params {
  rows: u32,
  partRows: u32,
  width: u32,
  first: u32,
  heads: u32,
  headDim: u32,
  rstdStride: u32,
  rstdFirst: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dY: array<f32>;
@group(0) @binding(2) var<storage, read> rstd: array<f32>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let parts = (params.rows + params.partRows - 1u) / params.partRows;
  if (index >= parts * params.headDim) {
    return;
  }
  let channel = index % params.headDim;
  let begin = index / params.headDim * params.partRows;
  let end = min(begin + params.partRows, params.rows);
  var g = 0.0;
  for (var row = begin; row < end; row++) {
    for (var head = 0u; head < params.heads; head++) {
      let at = row * params.width + params.first + head * params.headDim + channel;
      g += dY[at] * x[at] * rstd[row * params.rstdStride + params.rstdFirst + head];
    }
  }
  partials[index] = g;
}
