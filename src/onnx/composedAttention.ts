/**
 * @file Attention node by node, for layers that GroupQueryAttention computes wrongly or not at all. It has an attribute
 * for a soft cap of the scores, which works on the CPU and does nothing on WebGPU (1.30.0): the numbers would be wrong
 * without an error. It refuses head dimensions that 8 does not divide, in every run and on every provider.
 */
import type { LayerShape } from '../model/shape';
import { int64Constant, reshape, scalar, softcap } from './blocks';
import type { GraphContext } from './context';

/** Head dimensions that GroupQueryAttention takes; at others every run fails, on every provider (1.30.0). */
export const groupQueryTakes = (headDim: number): boolean => headDim % 8 === 0;

/** Whether a layer's attention is computed node by node. */
export const isComposed = ({ heads, headDim, scoreSoftcap }: LayerShape): boolean =>
  heads > 0 && (scoreSoftcap !== undefined || !groupQueryTakes(headDim));

/**
 * The cache with the new tokens behind the old ones. keys or values [batch, seqLen, kvHeads · headDim] and the past
 * [batch, kvHeads, past, headDim] → present [batch, kvHeads, past + seqLen, headDim]: past and present are two buffers.
 */
export function appendToCache(
  context: GraphContext,
  { kvHeads, headDim }: LayerShape,
  vectors: string,
  past: string,
  present: string,
): string {
  const { graph } = context;
  const split = reshape(context, `${present}.split`, vectors, [0, 0, kvHeads, headDim]);
  const byHead = graph.node(`${present}.byHead`, 'Transpose', [split], { lists: { perm: [0, 2, 1, 3] } });
  return graph.node(present, 'Concat', [past, byHead], { ints: { axis: 2 } });
}

/** Times the distance to what a query sees: from one token on, a softmax makes 0 of it beside any score below 1e29. */
const hiddenBias = -1e30;
/** The same once for any distance, in f16: what a score far below any other gets. */
const hiddenHalfBias = 5e4;

/** 0 where the query of a row sees a key and far below every score elsewhere: [batch, 1, seqLen, keys], once per window. */
function mask(context: GraphContext, presentKey: string, window: number | undefined): string {
  const { graph, maxPositions, once, layout } = context;
  // How many tokens a key is ahead of a query, in f32: exact, and on the GPU throughout.
  const ahead = once('mask.ahead', () => {
    const positions = Float32Array.from({ length: maxPositions }, (_, position) => position);
    const all = graph.constant('mask.positions', 'float32', [maxPositions], new Uint8Array(positions.buffer));
    // As many keys as the cache holds room for: those behind the last token are ahead of every query.
    const count = graph.node('mask.keyCount', 'Shape', [presentKey], { ints: { start: 2, end: 3 } });
    const keys = graph.node('mask.keys', 'Slice', [all, int64Constant(context, [0]), count]);
    const queries = graph.node('mask.queries', 'Gather', [all, 'position_ids']);
    return graph.node('mask.ahead', 'Sub', [keys, reshape(context, 'mask.queryRows', queries, [0, 1, -1, 1])]);
  });
  const name = `mask.${window ?? 'causal'}`;
  return once(name, () => {
    const future = once('mask.future', () => graph.node('mask.future', 'Relu', [ahead]));
    let hidden = future;
    if (window !== undefined) {
      const beyond = graph.node(`${name}.beyond`, 'Sub', [scalar(context, 1 - window, 'float32'), ahead]);
      const past = graph.node(`${name}.past`, 'Relu', [beyond]);
      hidden = graph.node(`${name}.hidden`, 'Add', [future, past]);
    }
    if (layout.padding) hidden = graph.node(`${name}.padded`, 'Add', [hidden, layout.padding(context)]);
    if (context.element === 'float32') return graph.node(name, 'Mul', [hidden, scalar(context, hiddenBias)]);
    // As far below as f16 goes, with room for a score beside it.
    const beside = [scalar(context, -1, 'float32'), scalar(context, 0, 'float32')];
    const sign = graph.node(`${name}.sign`, 'Clip', [graph.node(`${name}.minus`, 'Neg', [hidden]), ...beside]);
    const bias = graph.node(`${name}.bias`, 'Mul', [sign, scalar(context, hiddenHalfBias, 'float32')]);
    return graph.node(name, 'Cast', [bias], { ints: { to: 10 } });
  });
}

/**
 * softmax(softcap(q · kᵀ · attnScale) + mask) · v, without the cap where the layer has none, of rotated queries [batch,
 * seqLen, heads · headDim] and the cache with the new tokens in it [batch, kvHeads, keys, headDim] → [batch, seqLen,
 * heads, headDim].
 */
export function composedAttention(
  context: GraphContext,
  index: number,
  layer: LayerShape,
  query: string,
  [presentKey, presentValue]: readonly [string, string],
): string {
  const { graph, maxPositions } = context;
  const { heads, kvHeads, headDim, scoreSoftcap: cap, attnScale = 1 / Math.sqrt(headDim) } = layer;
  const name = (part: string) => `layer${index}.attention.${part}`;
  const window = layer.window !== undefined && layer.window < maxPositions ? layer.window : undefined;
  const swap = (part: string, x: string) => graph.node(name(part), 'Transpose', [x], { lists: { perm: [0, 2, 1, 3] } });
  // The queries of a group are rows of one matrix, so that keys and values need no copies.
  const grouped = (part: string, x: string, channels: number) =>
    reshape(context, name(part), x, [0, kvHeads, -1, channels]);
  const byHead = (part: string, x: string, channels: number) =>
    reshape(context, name(part), x, [0, heads, -1, channels]);

  const split = reshape(context, name('qHeads'), query, [0, 0, heads, headDim]);
  const rows = grouped('qGroups', swap('qByHead', split), headDim);
  const keys = graph.node(name('keys'), 'Transpose', [presentKey], { lists: { perm: [0, 1, 3, 2] } });
  const products = graph.node(name('products'), 'MatMul', [rows, keys]);
  const scaled =
    cap === undefined
      ? graph.node(name('scores'), 'Mul', [products, scalar(context, attnScale)])
      : softcap(context, name('scores'), products, cap, attnScale);
  const scores = byHead('scoresByHead', scaled, 0);
  const seen = graph.node(name('seen'), 'Add', [scores, mask(context, presentKey, window)]);
  const shares = grouped('shares', graph.node(name('softmax'), 'Softmax', [seen], { ints: { axis: -1 } }), 0);
  const mixed = graph.node(name('mixed'), 'MatMul', [shares, presentValue]);
  return swap('output', byHead('mixedByHead', mixed, headDim));
}
