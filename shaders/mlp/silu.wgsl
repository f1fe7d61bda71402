// silu: the gate's activation x · σ(x). Joined in front of a kernel of the gated MLP. Reference: src/numerics/swiglu.ts

// The exponent is bounded so that exp stays finite: beyond it the quotient is 0 in float32 anyway.
fn activate(value: f32) -> f32 {
  return value / (1.0 + exp(min(-value, 88.0)));
}

fn activate4(value: vec4f) -> vec4f {
  return value / (1.0 + exp(min(-value, vec4f(88.0))));
}

// The activation and its slope.
fn activate_with_slope(value: f32) -> vec2f {
  let sigmoid = 1.0 / (1.0 + exp(min(-value, 88.0)));
  return vec2f(value * sigmoid, sigmoid * (1.0 + value * (1.0 - sigmoid)));
}

