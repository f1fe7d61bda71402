// gelu_tanh: the gate's activation x · (1 + tanh(u)) / 2 with u = √(2/π) · (x + 0.044715 · x³), which is x · σ(2u): the same
// function without tanh, of which some drivers make ∞/∞, and without the difference that is lost where 1 + tanh(u) nearly vanishes.
// Joined in front of a kernel of the gated MLP. Reference: src/numerics/geglu.ts

// 2 · √(2/π), and with 0.044715.
const LINEAR = 1.5957691216057308;
const CUBIC = 0.07135481627260025;

// The exponent is bounded so that exp stays finite: beyond it the quotient is 0 in float32 anyway.
fn activate(value: f32) -> f32 {
  return value / (1.0 + exp(min(-value * (LINEAR + CUBIC * value * value), 88.0)));
}

fn activate4(value: vec4f) -> vec4f {
  return value / (1.0 + exp(min(-value * (LINEAR + CUBIC * value * value), vec4f(88.0))));
}

// The activation and its slope.
fn activate_with_slope(value: f32) -> vec2f {
  let square = value * value;
  let sigmoid = 1.0 / (1.0 + exp(min(-value * (LINEAR + CUBIC * square), 88.0)));
  // σ first: it is 0 or 1 long before the polynomial overflows.
  return vec2f(value * sigmoid, sigmoid * (1.0 + value * (1.0 - sigmoid) * (LINEAR + 3.0 * CUBIC * square)));
}

