// fma: as many multiply-adds as the adapter can do at once, without touching memory, for a benchmark to compare with
//   y [invocations] vec4: the sums, so that nothing is optimized away
// Eight independent chains of vec4 per invocation hide the latency of one. `steps` rounds of eight.

struct Params {
  invocations: u32,
  steps: u32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.invocations) {
    return;
  }
  let a = vec4f(params.factor);
  let b = vec4f(f32(id.x % 7u), 1.0, 2.0, 3.0);
  var s0 = b;
  var s1 = b + 1.0;
  var s2 = b + 2.0;
  var s3 = b + 3.0;
  var s4 = b + 4.0;
  var s5 = b + 5.0;
  var s6 = b + 6.0;
  var s7 = b + 7.0;
  for (var step = 0u; step < params.steps; step++) {
    s0 = fma(s0, a, b);
    s1 = fma(s1, a, b);
    s2 = fma(s2, a, b);
    s3 = fma(s3, a, b);
    s4 = fma(s4, a, b);
    s5 = fma(s5, a, b);
    s6 = fma(s6, a, b);
    s7 = fma(s7, a, b);
  }
  y[id.x] = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
}
