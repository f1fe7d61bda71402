// softcap: s becomes SOFTCAP · tanh(s / SOFTCAP); as it is where SOFTCAP is 0.
// What is not a number stays so, told by its bits
// (finite.wgsl says why). Joined in front of a kernel of scores or logits. Reference: src/numerics/softcap.ts

override SOFTCAP = 0.0;

// Bounded, since tanh of large arguments is ∞/∞ on some drivers; at the bound it is 1 in float32.
fn softcap_tanh(values: vec4f) -> vec4f {
  return tanh(clamp(values / SOFTCAP, vec4f(-10.0), vec4f(10.0)));
}

fn are_nan(values: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(values) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

fn softcap(values: vec4f) -> vec4f {
  if (SOFTCAP > 0.0) {
    return select(SOFTCAP * softcap_tanh(values), values, are_nan(values));
  }
  return values;
}

// From the gradient of capped values to that of the values themselves.
fn softcap_gradient(gradient: vec4f, values: vec4f) -> vec4f {
  if (SOFTCAP > 0.0) {
    let capped = softcap_tanh(values);
    return select(gradient * (1.0 - capped * capped), values, are_nan(values));
  }
  return gradient;
}

