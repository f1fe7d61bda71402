/** @file The parts of a decoder as ONNX nodes, but for the attention. Activations are 2-D, [rows, channels]. */
import type { LayerRole, LayerShape, ModelRole, ModelShape } from '../model/shape';
import type { GraphBuilder } from './builder';

/** What the block functions share while one graph is written. */
export interface GraphContext {
  readonly graph: GraphBuilder;
  readonly shape: ModelShape;
  readonly maxPositions: number;
  /** Rotate with separate nodes although the attention node could. */
  readonly separateRotary: boolean;
  /** The value that holds a weight as f32. */
  layerWeight(role: LayerRole, layer: LayerShape): string;
  modelWeight(role: ModelRole): string;
  /** Values made once and read by many nodes, by name. */
  once(name: string, make: () => string): string;
}

/** The residual stream: `delta` is a block's output that the next norm still has to add. */
export interface Stream {
  readonly residual: string;
  readonly delta: string | null;
}

export const microsoft = 'com.microsoft' as const;

function int64Bytes(values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
}

/** Whole numbers, such as a target shape, made once. */
export function int64Constant({ graph, once }: GraphContext, values: readonly number[]): string {
  const name = `const.${values.join('x').replace('-1', 'rows')}`;
  return once(name, () => graph.constant(name, 'int64', [values.length], int64Bytes(values)));
}

/** [rows, out] = x[rows, in] · weight[out, in]ᵀ (+ bias[out]) */
export function linear({ graph }: GraphContext, name: string, x: string, weight: string, bias?: string): string {
  return graph.node(name, 'Gemm', bias === undefined ? [x, weight] : [x, weight, bias], { ints: { transB: 1 } });
}

/** [rows, channels], or rows of another width, → [batch, seqLen, channels]; the target shape is computed once per width, on the CPU. */
export function toSequences(context: GraphContext, name: string, x: string, channels: number): string {
  const { graph, once } = context;
  const target = once(`shape.sequences.${channels}`, () => {
    const leading = once('shape.ids', () => graph.node('shape.ids', 'Shape', ['input_ids']));
    return graph.node(`shape.sequences.${channels}`, 'Concat', [leading, int64Constant(context, [channels])], {
      ints: { axis: 0 },
    });
  });
  return graph.node(name, 'Reshape', [x, target]);
}

/** To a shape that is known but for one dimension, −1, and those that stay, 0. */
export function reshape(context: GraphContext, name: string, x: string, dims: readonly number[]): string {
  return context.graph.node(name, 'Reshape', [x, int64Constant(context, dims)]);
}

/** → [rows, channels], as many rows as there are values for. */
export function toRows(context: GraphContext, name: string, x: string, channels: number): string {
  return reshape(context, name, x, [-1, channels]);
}

/** A number as f32, made once for all nodes that read it. */
export function scalar({ graph, once }: GraphContext, value: number): string {
  const name = `scalar.${value}`;
  return once(name, () => graph.constant(name, 'float32', [], new Uint8Array(Float32Array.of(value).buffer)));
}

/** input_ids [batch, seqLen] → [rows, hidden] */
export function embedding(context: GraphContext): Stream {
  const { graph, shape } = context;
  const gathered = graph.node('embed.gather', 'Gather', [context.modelWeight('embed'), 'input_ids']);
  const rows = toRows(context, 'embed.rows', gathered, shape.hidden);
  // The rows are scaled, not the matrix, which a tied head reads as it is.
  const { embedScale } = shape;
  const residual =
    embedScale === undefined ? rows : graph.node('embed.scaled', 'Mul', [rows, scalar(context, embedScale)]);
  return { residual, delta: null };
}

type LayerNormRole = Extract<LayerRole, `${string}Norm`>;

/** What a norm multiplies by: its weight, with the model's offset added where it has one. Runtimes add it once, at creation. */
function withOffset(context: GraphContext, weight: string): string {
  const { graph, shape, once } = context;
  const { normOffset } = shape;
  if (normOffset === undefined) return weight;
  const name = `${weight}.offset`;
  return once(name, () => graph.node(name, 'Add', [weight, scalar(context, normOffset)]));
}

export function normWeight(context: GraphContext, role: LayerNormRole, layer: LayerShape): string {
  return withOffset(context, context.layerWeight(role, layer));
}

/** RMSNorm of each row: y = x · rsqrt(mean(x²) + eps) · weight. */
export function rmsnorm({ graph, shape }: GraphContext, name: string, x: string, weight: string): string {
  const ints = { axis: -1, stash_type: 1 };
  return graph.node(name, 'SimplifiedLayerNormalization', [x, weight], { ints, floats: { epsilon: shape.normEps } });
}

/** RMSNorm of the stream with what is still to be added, and the stream with it added. */
export function norm(context: GraphContext, name: string, stream: Stream, weight: string): [string, Stream] {
  const { graph, shape } = context;
  if (stream.delta === null) return [rmsnorm(context, name, stream.residual, weight), stream];
  const sum = `${name}.residual`;
  const normed = graph.node(name, 'SkipSimplifiedLayerNormalization', [stream.delta, stream.residual, weight], {
    domain: microsoft,
    floats: { epsilon: shape.normEps },
    outputs: [name, '', '', sum],
  });
  return [normed, { residual: sum, delta: null }];
}

/** The stream with nothing left to add. */
function settled({ graph }: GraphContext, name: string, { residual, delta }: Stream): Stream {
  return delta === null ? { residual, delta } : { residual: graph.node(name, 'Add', [delta, residual]), delta: null };
}

/** What attention or MLP read of the stream, normed unless the layer's norms are on the outputs only, and the stream. */
export function blockInput(
  context: GraphContext,
  index: number,
  layer: LayerShape,
  role: 'attnNorm' | 'mlpNorm',
  stream: Stream,
): [string, Stream] {
  const name = `layer${index}.${role}`;
  if (layer.normPlacement !== 'post') return norm(context, name, stream, normWeight(context, role, layer));
  const whole = settled(context, `${name}.residual`, stream);
  return [whole.residual, whole];
}

/** The stream to which `output` of an attention or MLP is still to be added, normed where the layer does so. */
export function blockOutput(
  context: GraphContext,
  index: number,
  layer: LayerShape,
  role: 'postAttnNorm' | 'postMlpNorm',
  { residual }: Stream,
  output: string,
): Stream {
  if (layer.normPlacement === undefined) return { residual, delta: output };
  return { residual, delta: rmsnorm(context, `layer${index}.${role}`, output, normWeight(context, role, layer)) };
}

/** silu(gate) or, by its tanh formula, gelu(gate): one kernel either way. */
function activate({ graph }: GraphContext, index: number, { activation }: LayerShape, gate: string): string {
  if (activation === 'gelu_tanh') return graph.node(`layer${index}.gelu`, 'FastGelu', [gate], { domain: microsoft });
  // QuickGelu with alpha 1 is SiLU.
  return graph.node(`layer${index}.silu`, 'QuickGelu', [gate], { domain: microsoft, floats: { alpha: 1 } });
}

/** down(activation(gate(x)) ⊙ up(x)) */
export function mlpBlock(context: GraphContext, index: number, layer: LayerShape, stream: Stream): Stream {
  const { graph, layerWeight } = context;
  const name = (part: string) => `layer${index}.${part}`;
  const [x, summed] = blockInput(context, index, layer, 'mlpNorm', stream);
  const gate = linear(context, name('gateProj'), x, layerWeight('gateProj', layer));
  const up = linear(context, name('upProj'), x, layerWeight('upProj', layer));
  const gated = graph.node(name('gated'), 'Mul', [activate(context, index, layer, gate), up]);
  const down = linear(context, name('downProj'), gated, layerWeight('downProj', layer));
  return blockOutput(context, index, layer, 'postMlpNorm', summed, down);
}

/** cap · tanh(x · scale / cap) */
export function softcap(context: GraphContext, name: string, x: string, cap: number, scale = 1): string {
  const { graph } = context;
  const share = graph.node(`${name}.share`, 'Mul', [x, scalar(context, scale / cap)]);
  const bounded = graph.node(`${name}.tanh`, 'Tanh', [share]);
  return graph.node(name, 'Mul', [bounded, scalar(context, cap)]);
}

/** logits [logitRows, vocab] of the rows named by `logit_rows`: the head costs nothing for the others. */
export function head(context: GraphContext, stream: Stream): void {
  const { graph, shape } = context;
  const chosen = (part: string, value: string) => graph.node(`head.${part}`, 'Gather', [value, 'logit_rows']);
  const rows: Stream = {
    residual: chosen('residual', stream.residual),
    delta: stream.delta === null ? null : chosen('delta', stream.delta),
  };
  const [x] = norm(context, 'head.norm', rows, withOffset(context, context.modelWeight('finalNorm')));
  const weight = context.modelWeight(shape.tiedHead ? 'embed' : 'lmHead');
  const { logitSoftcap } = shape;
  if (logitSoftcap === undefined) linear(context, 'logits', x, weight);
  else softcap(context, 'logits', linear(context, 'head.logits', x, weight), logitSoftcap);
  graph.output({ name: 'logits', type: 'float32', dims: ['logit_rows', shape.vocab] });
}
