/** @file The parts of a decoder as ONNX nodes, but for the attention. Activations are 2-D, [rows, channels]. */
import type { BiasRole, LayerShape } from '../model/shape';
import { numberToF16 } from '../numerics/float16';
import type { GraphContext, Matrix, Residual } from './context';

export const microsoft = 'com.microsoft' as const;

function int64Bytes(values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
}

/** Whole numbers, such as a target shape, made once. */
export function int64Constant({ graph, once }: GraphContext, values: readonly number[]): string {
  const name = `const.${values.join('x').replace('-1', 'rows')}`;
  return once(name, () => graph.constant(name, 'int64', [values.length], int64Bytes(values)));
}

/**
 * An f16 matrix that nothing may widen before x is there. Its new shape is [0, −1], the one that it has; but the runtime
 * knows so only from x, and therefore neither widens it at creation nor keeps it wide.
 */
function waiting(context: GraphContext, name: string, { value }: Matrix, x: string): string {
  const { graph, once } = context;
  const same = once(`${x}.same`, () => {
    const rows = graph.node(`${x}.rowCount`, 'Shape', [x], { ints: { start: 0, end: 1 } });
    const zero = graph.node(`${x}.zero`, 'Mul', [rows, int64Constant(context, [0])]);
    return graph.node(`${x}.same`, 'Concat', [zero, int64Constant(context, [-1])], { ints: { axis: 0 } });
  });
  return graph.node(`${name}.waiting`, 'Reshape', [value, same]);
}

function product(context: GraphContext, name: string, inputs: readonly string[], { scale }: Matrix): string {
  const floats = scale === 1 ? {} : { alpha: scale };
  return context.graph.node(name, 'Gemm', inputs, { ints: { transB: 1 }, floats });
}

/** [rows, out] = x[rows, in] · weight[out, in]ᵀ (+ bias[out]) */
export function linear(context: GraphContext, name: string, x: string, weight: Matrix, bias?: string): string {
  const { graph } = context;
  const added = bias === undefined ? [] : [bias];
  if (!weight.chained) return product(context, name, [x, weight.value, ...added], weight);
  const narrow = waiting(context, name, weight, x);
  const widen = (part: string, value: string) => graph.node(`${part}.wide`, 'Cast', [value], { ints: { to: 1 } });
  const parts = Math.ceil(weight.rows / weight.widened);
  if (parts === 1) return product(context, name, [x, widen(name, narrow), ...added], weight);
  // Some rows after the others, so that no more of them are wide than a buffer should hold.
  const outputs = Array.from({ length: parts }, (_, part) => {
    const [begin, end] = [part * weight.widened, Math.min(weight.rows, (part + 1) * weight.widened)];
    const bounds = [int64Constant(context, [begin]), int64Constant(context, [end]), int64Constant(context, [0])];
    const slice = graph.node(`${name}.rows${part}`, 'Slice', [narrow, ...bounds]);
    return product(context, `${name}.part${part}`, [x, widen(`${name}.part${part}`, slice)], weight);
  });
  const whole = bias === undefined ? name : `${name}.whole`;
  const joined = graph.node(whole, 'Concat', outputs, { ints: { axis: 1 } });
  return bias === undefined ? joined : graph.node(name, 'Add', [joined, bias]);
}

/** The value that holds a bias; undefined where the layer lacks it. */
export function biasOf({ layerVector }: GraphContext, layer: LayerShape, role: BiasRole): string | undefined {
  return layer.biases?.includes(role) ? layerVector(role, layer) : undefined;
}

/** [batch, seqLen], int64 */
export function idsShape({ graph, once }: GraphContext): string {
  return once('shape.ids', () => graph.node('shape.ids', 'Shape', ['input_ids']));
}

/** [rows, channels], or rows of another width, → [batch, seqLen, channels]; the target shape is computed once per width, on the CPU. */
export function toSequences(context: GraphContext, name: string, x: string, channels: number): string {
  const { graph, once } = context;
  const target = once(`shape.sequences.${channels}`, () => {
    const leading = idsShape(context);
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

/** A number as an activation is stored, or as f32, made once for all nodes that read it. */
export function scalar({ graph, once, element }: GraphContext, value: number, type = element): string {
  const name = type === 'float16' ? `scalar.${value}.f16` : `scalar.${value}`;
  const bytes = type === 'float16' ? Uint16Array.of(numberToF16(value)) : Float32Array.of(value);
  return once(name, () => graph.constant(name, type, [], new Uint8Array(bytes.buffer)));
}

/** Token ids [batch, seqLen] → [rows, hidden] */
export function embedding(context: GraphContext, ids: string): Residual {
  const { graph, shape } = context;
  const { value, chained, scale } = context.modelMatrix('embed');
  const gathered = graph.node('embed.gather', 'Gather', [value, ids]);
  let rows = toRows(context, 'embed.rows', gathered, shape.hidden);
  if (chained) rows = graph.node('embed.wide', 'Cast', [rows], { ints: { to: 1 } });
  // The rows are scaled, not the matrix, which a tied head reads as it is.
  const by = (shape.embedScale ?? 1) * scale;
  const residual = by === 1 ? rows : graph.node('embed.scaled', 'Mul', [rows, scalar(context, by)]);
  return { residual, delta: null };
}

/** RMSNorm of each row: y = x · rsqrt(mean(x²) + eps) · weight. */
export function rmsnorm({ graph, shape }: GraphContext, name: string, x: string, weight: string): string {
  const ints = { axis: -1, stash_type: 1 };
  return graph.node(name, 'SimplifiedLayerNormalization', [x, weight], { ints, floats: { epsilon: shape.normEps } });
}

/** RMSNorm of the stream with what is still to be added, and the stream with it added. */
export function norm(context: GraphContext, name: string, stream: Residual, weight: string): [string, Residual] {
  const { graph, shape } = context;
  if (stream.delta === null) return [rmsnorm(context, name, stream.residual, weight), stream];
  const sum = `${name}.residual`;
  const normalized = graph.node(name, 'SkipSimplifiedLayerNormalization', [stream.delta, stream.residual, weight], {
    domain: microsoft,
    floats: { epsilon: shape.normEps },
    outputs: [name, '', '', sum],
  });
  return [normalized, { residual: sum, delta: null }];
}

/** The stream with nothing left to add. */
function settled({ graph }: GraphContext, name: string, { residual, delta }: Residual): Residual {
  return delta === null ? { residual, delta } : { residual: graph.node(name, 'Add', [delta, residual]), delta: null };
}

/**
 * What attention or MLP read of the stream, normalized unless the layer's norms are on the outputs only, and the
 * stream.
 */
export function blockInput(
  context: GraphContext,
  index: number,
  layer: LayerShape,
  role: 'attnNorm' | 'mlpNorm',
  stream: Residual,
): [string, Residual] {
  const name = `layer${index}.${role}`;
  if (layer.normPlacement !== 'post') return norm(context, name, stream, context.layerVector(role, layer));
  const whole = settled(context, `${name}.residual`, stream);
  return [whole.residual, whole];
}

/** The stream to which `output` of an attention or MLP is still to be added, normalized where the layer does so. */
export function blockOutput(
  context: GraphContext,
  index: number,
  layer: LayerShape,
  role: 'postAttnNorm' | 'postMlpNorm',
  { residual }: Residual,
  output: string,
): Residual {
  if (layer.normPlacement === undefined) return { residual, delta: output };
  return { residual, delta: rmsnorm(context, `layer${index}.${role}`, output, context.layerVector(role, layer)) };
}

/** silu(gate) or, by its tanh formula, gelu(gate): one kernel either way. */
function activate({ graph }: GraphContext, index: number, { activation }: LayerShape, gate: string): string {
  if (activation === 'gelu_tanh') return graph.node(`layer${index}.gelu`, 'FastGelu', [gate], { domain: microsoft });
  // QuickGelu with alpha 1 is SiLU.
  return graph.node(`layer${index}.silu`, 'QuickGelu', [gate], { domain: microsoft, floats: { alpha: 1 } });
}

/** down(activation(gate(x)) ⊙ up(x)) */
export function mlpBlock(context: GraphContext, index: number, layer: LayerShape, stream: Residual): Residual {
  const { graph, layerMatrix } = context;
  const name = (part: string) => `layer${index}.${part}`;
  const [x, summed] = blockInput(context, index, layer, 'mlpNorm', stream);
  const project = (part: 'gate' | 'up' | 'down', input: string): string => {
    const weight = layerMatrix(`${part}Proj`, layer);
    return linear(context, name(`${part}Proj`), input, weight, biasOf(context, layer, `${part}Bias`));
  };
  const [gate, up] = [project('gate', x), project('up', x)];
  const gated = graph.node(name('gated'), 'Mul', [activate(context, index, layer, gate), up]);
  return blockOutput(context, index, layer, 'postMlpNorm', summed, project('down', gated));
}

/** cap · tanh(x · scale / cap) */
export function softcap(
  context: GraphContext,
  name: string,
  x: string,
  cap: number,
  scale = 1,
  type = context.element,
) {
  const { graph } = context;
  const share = graph.node(`${name}.share`, 'Mul', [x, scalar(context, scale / cap, type)]);
  const bounded = graph.node(`${name}.tanh`, 'Tanh', [share]);
  return graph.node(name, 'Mul', [bounded, scalar(context, cap, type)]);
}

/** Logits [logitRows, vocab], f32, as the value `name`, of the rows named by `logit_rows`: the head costs nothing for the others. */
export function head(context: GraphContext, stream: Residual, name: string): void {
  const { graph, shape, element } = context;
  const chosen = (part: string, value: string) => graph.node(`head.${part}`, 'Gather', [value, 'logit_rows']);
  const rows: Residual = {
    residual: chosen('residual', stream.residual),
    delta: stream.delta === null ? null : chosen('delta', stream.delta),
  };
  const [x] = norm(context, 'head.norm', rows, context.finalNorm());
  const matrix = context.modelMatrix(shape.tiedHead ? 'embed' : 'lmHead');
  const { logitSoftcap } = shape;
  const float16 = element === 'float16';
  const last = logitSoftcap === undefined ? name : 'head.logits';
  let logits = linear(context, float16 ? 'head.half' : last, x, matrix);
  if (float16) logits = graph.node(last, 'Cast', [logits], { ints: { to: 1 } });
  if (logitSoftcap !== undefined) softcap(context, name, logits, logitSoftcap, 1, 'float32');
}
