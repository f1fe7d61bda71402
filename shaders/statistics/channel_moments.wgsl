// channel_moments: y[yFirst + chunk · channels + j] = (mean, Σ (x − mean)²) of channel j over the tokens among a chunk's rows
//   x [rows, channels]: rows of a batch from its row `batchFirst` on · lengths [sequences]: how many of the seqLen rows of each
//   sequence are tokens; those behind them are padding · y [·]; (0, 0) for a chunk without tokens
// The first chunk is shorter by `skew` < chunkRows rows, so that chunks can begin where sequences do.
// One invocation per chunk of chunkRows rows and channel, in two passes over them, so that a mean that is large beside the
// deviations spoils nothing; the caller merges the chunks in float64. Joined behind grid.wgsl and finite.wgsl.
// Reference: src/numerics/moments.ts

struct Params {
  rows: u32,
  channels: u32,
  chunkRows: u32,
  skew: u32,
  batchFirst: u32,
  seqLen: u32,
  yFirst: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> lengths: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2f>;
@group(1) @binding(0) var<uniform> params: Params;

fn is_token(row: u32) -> bool {
  let at = params.batchFirst + row;
  return at % params.seqLen < lengths[at / params.seqLen];
}

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_index(group, groups, local, WORKGROUP);
  let chunk = index / params.channels;
  let first = max(chunk * params.chunkRows, params.skew) - params.skew;
  if (first >= params.rows) {
    return;
  }
  let channel = index % params.channels;
  let end = min((chunk + 1u) * params.chunkRows - params.skew, params.rows);
  var count = 0.0;
  var sum = 0.0;
  for (var row = first; row < end; row++) {
    if (is_token(row)) {
      count += 1.0;
      sum += x[row * params.channels + channel];
    }
  }
  let mean = sum / max(count, 1.0);
  // (Σ d, Σ d²) of the deviations d from the rounded mean, which both correct.
  var sums = vec2f();
  for (var row = first; row < end; row++) {
    if (is_token(row)) {
      let d = x[row * params.channels + channel] - mean;
      sums += vec2f(d, d * d);
    }
  }
  let rest = sums.x / max(count, 1.0);
  let deviations = sums.y - rest * sums.x;
  // Rounding may leave a hair less than nothing.
  y[params.yFirst + index] = vec2f(mean + rest, nan_where(max(deviations, 0.0), !is_finite(deviations)));
}
