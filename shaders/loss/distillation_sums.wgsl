// distillation_sums: adds a chunk of the vocabulary to the sums of each row that the loss of distillation and its gradient need
//   student [·, stride], logits before their soft cap · teacher [·, stride], logits behind theirs: `cols` columns from token vocabFirst
//   targets [·] u32 · sums [·, 2]; `rows` rows of all buffers from `first`
// With m the largest student logit z so far, n the largest teacher logit t, T the temperature, over the tokens so far:
//   sums[r, 0] = (m, Σ exp(z − m), Σ exp((z − m) / T), the target's z, 0 until its chunk has come)
//   sums[r, 1] = (n, Σ exp((t − n) / T), Σ exp((t − n) / T) · (t − z), 0)
// One workgroup per row. Joined behind softcap.wgsl. Reference: src/numerics/distillation.ts

struct Params {
  rows: u32,
  first: u32,
  cols: u32,
  stride: u32,
  vocabFirst: u32,
  // 0: this is the first chunk.
  carry: u32,
  temperature: f32,
}

@group(0) @binding(0) var<storage, read> student: array<vec4f>;
@group(0) @binding(1) var<storage, read> teacher: array<vec4f>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

const WORKGROUP = 64u;
const LOWEST = -3.0e38;

var<workgroup> largest: array<vec2f, WORKGROUP>;
var<workgroup> parts: array<vec4f, WORKGROUP>;

fn inside(quad: u32) -> vec4<bool> {
  return vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.cols);
}

fn largest_of(values: vec4f) -> f32 {
  return max(max(values.x, values.y), max(values.z, values.w));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = group.y * groups.x + group.x;
  if (index >= params.rows) {
    return;
  }
  let row = params.first + index;
  let quads = (params.cols + 3u) / 4u;
  let begin = row * params.stride / 4u;

  var found = vec2f(LOWEST);
  for (var quad = local; quad < quads; quad += WORKGROUP) {
    let counted = inside(quad);
    let z = select(vec4f(LOWEST), softcap(student[begin + quad]), counted);
    let t = select(vec4f(LOWEST), teacher[begin + quad], counted);
    found = max(found, vec2f(largest_of(z), largest_of(t)));
  }
  largest[local] = found;
  workgroupBarrier();
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      largest[local] = max(largest[local], largest[local + half]);
    }
    workgroupBarrier();
  }
  var before = array<vec4f, 2>(vec4f(LOWEST, 0.0, 0.0, 0.0), vec4f(LOWEST, 0.0, 0.0, 0.0));
  if (params.carry == 1u) {
    before = array<vec4f, 2>(sums[2u * row], sums[2u * row + 1u]);
  }
  let m = max(largest[0].x, before[0].x);
  let n = max(largest[0].y, before[1].x);

  var sum = vec4f();
  for (var quad = local; quad < quads; quad += WORKGROUP) {
    let counted = inside(quad);
    let z = softcap(student[begin + quad]);
    let t = teacher[begin + quad];
    let shares = select(vec4f(), exp((t - n) / params.temperature), counted);
    sum += vec4f(
      dot(select(vec4f(), exp(z - m), counted), vec4f(1.0)),
      dot(select(vec4f(), exp((z - m) / params.temperature), counted), vec4f(1.0)),
      dot(shares, vec4f(1.0)),
      dot(shares, select(vec4f(), t - z, counted)),
    );
  }
  parts[local] = sum;
  // Every invocation has read the sums so far before one replaces them.
  storageBarrier();
  workgroupBarrier();
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (local < half) {
      parts[local] += parts[local + half];
    }
    workgroupBarrier();
  }
  if (local != 0u) {
    return;
  }
  let all = parts[0];
  var target_logit = before[0].w;
  let col = targets[row] - params.vocabFirst;
  if (col < params.cols) {
    target_logit = softcap(student[begin + col / 4u])[col % 4u];
  }
  let student_fade = before[0].x - m;
  let teacher_fade = exp((before[1].x - n) / params.temperature);
  sums[2u * row] = vec4f(
    m,
    before[0].y * exp(student_fade) + all.x,
    before[0].z * exp(student_fade / params.temperature) + all.y,
    target_logit,
  );
  sums[2u * row + 1u] = vec4f(n, before[1].y * teacher_fade + all.z, before[1].z * teacher_fade + all.w, 0.0);
}
