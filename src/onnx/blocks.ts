/** @file The parts of a decoder as ONNX nodes: one function per block. Activations are 2-D, [rows, channels]. */
import { type LayerRole, type LayerShape, type ModelRole, type ModelShape, ropeOf } from '../model/shape';
import type { GraphBuilder } from './builder';
import { rotaryTables } from './rotary';

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

/** GroupQueryAttention rotates by itself only for such heads; others fail at run time, not at creation. */
export const canRotateInAttention = (headDim: number): boolean => headDim % 16 === 0;

const microsoft = 'com.microsoft' as const;

function int64Bytes(values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
}

function int64Constant({ graph, once }: GraphContext, values: readonly number[]): string {
  const name = `const.${values.join('x').replace('-1', 'rows')}`;
  return once(name, () => graph.constant(name, 'int64', [values.length], int64Bytes(values)));
}

/** [rows, out] = x[rows, in] · weight[out, in]ᵀ */
function linear({ graph }: GraphContext, name: string, x: string, weight: string): string {
  return graph.node(name, 'Gemm', [x, weight], { ints: { transB: 1 } });
}

/** [rows, channels] → [batch, seqLen, channels]; the target shape is computed once per width, on the CPU. */
function toSequences(context: GraphContext, name: string, x: string, channels: number): string {
  const { graph, once } = context;
  const target = once(`shape.sequences.${channels}`, () => {
    const leading = once('shape.ids', () => graph.node('shape.ids', 'Shape', ['input_ids']));
    return graph.node(`shape.sequences.${channels}`, 'Concat', [leading, int64Constant(context, [channels])], {
      ints: { axis: 0 },
    });
  });
  return graph.node(name, 'Reshape', [x, target]);
}

function toRows(context: GraphContext, name: string, x: string, channels: number): string {
  return context.graph.node(name, 'Reshape', [x, int64Constant(context, [-1, channels])]);
}

/** input_ids [batch, seqLen] → [rows, hidden] */
export function embedding(context: GraphContext): Stream {
  const gathered = context.graph.node('embed.gather', 'Gather', [context.modelWeight('embed'), 'input_ids']);
  return { residual: toRows(context, 'embed.rows', gathered, context.shape.hidden), delta: null };
}

/** RMSNorm of the stream with what is still to be added: y = x · rsqrt(mean(x²) + eps) · weight. */
function norm({ graph, shape }: GraphContext, name: string, stream: Stream, weight: string): [string, Stream] {
  const floats = { epsilon: shape.normEps };
  if (stream.delta === null) {
    const ints = { axis: -1, stash_type: 1 };
    return [graph.node(name, 'SimplifiedLayerNormalization', [stream.residual, weight], { ints, floats }), stream];
  }
  const sum = `${name}.residual`;
  const normed = graph.node(name, 'SkipSimplifiedLayerNormalization', [stream.delta, stream.residual, weight], {
    domain: microsoft,
    floats,
    outputs: [name, '', '', sum],
  });
  return [normed, { residual: sum, delta: null }];
}

/** Tables [maxPositions, headDim / 2], once per head size and rotary embedding. */
function rotary({ graph, shape, maxPositions, once }: GraphContext, layer: LayerShape): { cos: string; sin: string } {
  const { headDim } = layer;
  const dims = [maxPositions, headDim / 2];
  const rope = ropeOf(shape, layer);
  // A layer's own embedding is named after the first layer that has it.
  const suffix = layer.rope === undefined ? '' : `.block${layer.source}`;
  const table = (part: 'cos' | 'sin') =>
    once(`rotary.${part}.${headDim} ${JSON.stringify(rope)}`, () => {
      const values = rotaryTables(rope, headDim, maxPositions)[part];
      return graph.constant(`rotary.${part}.${headDim}${suffix}`, 'float32', dims, new Uint8Array(values.buffer));
    });
  return { cos: table('cos'), sin: table('sin') };
}

/** Whether `layer` needs the input `position_ids`. */
export const rotatesSeparately = (layer: LayerShape, forced: boolean): boolean =>
  layer.heads > 0 && (forced || !canRotateInAttention(layer.headDim));

/**
 * Causal grouped-query attention with its cache: past [batch, kvHeads, past, headDim] → present.
 * HF convention: channel i turns with i + headDim / 2.
 */
export function attentionBlock(context: GraphContext, index: number, layer: LayerShape, stream: Stream): Stream {
  const { graph, layerWeight } = context;
  const { heads, kvHeads, headDim } = layer;
  const name = (part: string) => `layer${index}.${part}`;
  const [x, summed] = norm(context, name('attnNorm'), stream, layerWeight('attnNorm', layer));
  const projected = (role: 'qProj' | 'kProj' | 'vProj', count: number) => {
    const flat = linear(context, name(role), x, layerWeight(role, layer));
    return toSequences(context, name(`${role}.sequences`), flat, count * headDim);
  };
  let query = projected('qProj', heads);
  let key = projected('kProj', kvHeads);
  const value = projected('vProj', kvHeads);
  const { cos, sin } = rotary(context, layer);
  const separate = rotatesSeparately(layer, context.separateRotary);
  if (separate) {
    const rotate = (part: string, vectors: string, count: number) =>
      graph.node(name(part), 'RotaryEmbedding', [vectors, 'position_ids', cos, sin], {
        domain: microsoft,
        ints: { num_heads: count, rotary_embedding_dim: 0, interleaved: 0 },
      });
    query = rotate('qRotary', query, heads);
    key = rotate('kRotary', key, kvHeads);
  }
  const cacheDims = (length: string) => ['batch', kvHeads, length, headDim];
  const past = (['key', 'value'] as const).map((kind) =>
    graph.input({ name: `past_${kind}_${index}`, type: 'float32', dims: cacheDims('past') }),
  );
  const inputs = [query, key, value, ...past, 'seqlens_k', 'total_sequence_length'];
  const present = [`present_key_${index}`, `present_value_${index}`];
  const attended = graph.node(name('attention'), 'GroupQueryAttention', separate ? inputs : [...inputs, cos, sin], {
    domain: microsoft,
    ints: { num_heads: heads, kv_num_heads: kvHeads, do_rotary: separate ? 0 : 1, rotary_interleaved: 0 },
    outputs: [name('attention'), ...present],
  });
  for (const output of present) {
    graph.output({ name: output, type: 'float32', dims: cacheDims('present') });
  }
  const rows = toRows(context, name('attention.rows'), attended, heads * headDim);
  return { residual: summed.residual, delta: linear(context, name('oProj'), rows, layerWeight('oProj', layer)) };
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
