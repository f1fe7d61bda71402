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

function int64Constant({ graph, once }: GraphContext, values: readonly number[]): string {
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

/** → [rows, channels], as many rows as there are values for. */
export function toRows(context: GraphContext, name: string, x: string, channels: number): string {
  return context.graph.node(name, 'Reshape', [x, int64Constant(context, [-1, channels])]);
}

/** input_ids [batch, seqLen] → [rows, hidden] */
export function embedding(context: GraphContext): Stream {
  const gathered = context.graph.node('embed.gather', 'Gather', [context.modelWeight('embed'), 'input_ids']);
  return { residual: toRows(context, 'embed.rows', gathered, context.shape.hidden), delta: null };
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

/** down(silu(gate(x)) ⊙ up(x)) */
export function mlpBlock(context: GraphContext, index: number, layer: LayerShape, stream: Stream): Stream {
  const { graph, layerWeight } = context;
  const name = (part: string) => `layer${index}.${part}`;
  const [x, summed] = norm(context, name('mlpNorm'), stream, layerWeight('mlpNorm', layer));
  const gate = linear(context, name('gateProj'), x, layerWeight('gateProj', layer));
  const up = linear(context, name('upProj'), x, layerWeight('upProj', layer));
  // QuickGelu with alpha 1 is SiLU in one kernel.
  const silu = graph.node(name('silu'), 'QuickGelu', [gate], { domain: microsoft, floats: { alpha: 1 } });
  const gated = graph.node(name('gated'), 'Mul', [silu, up]);
  return { residual: summed.residual, delta: linear(context, name('downProj'), gated, layerWeight('downProj', layer)) };
}

/** logits [logitRows, vocab] of the rows named by `logit_rows`: the head costs nothing for the others. */
export function head(context: GraphContext, stream: Stream): void {
  const { graph, shape } = context;
  const chosen = (part: string, value: string) => graph.node(`head.${part}`, 'Gather', [value, 'logit_rows']);
  const rows: Stream = {
    residual: chosen('residual', stream.residual),
    delta: stream.delta === null ? null : chosen('delta', stream.delta),
  };
  const [x] = norm(context, 'head.norm', rows, context.modelWeight('finalNorm'));
  const weight = context.modelWeight(shape.tiedHead ? 'embed' : 'lmHead');
  linear(context, 'logits', x, weight);
  graph.output({ name: 'logits', type: 'float32', dims: ['logit_rows', shape.vocab] });
}
