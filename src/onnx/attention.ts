/** @file A layer's attention as ONNX nodes: projections, norms of heads, rotary embedding, cache and window. */
import { type LayerShape, ropeOf } from '../model/shape';
import { numberToF16 } from '../numerics/float16';
import { biasOf, blockInput, blockOutput, linear, microsoft, rmsnorm, toRows, toSequences } from './blocks';
import { appendToCache, composedAttention } from './composedAttention';
import type { GraphContext, GraphLayout, Residual } from './context';
import { rotaryTables } from './rotary';

/** GroupQueryAttention rotates by itself only for such heads; others fail at run time, not at creation. */
export const canRotateInAttention = (headDim: number): boolean => headDim % 16 === 0;

/** Whether `layer` needs `position_ids`. */
export const rotatesSeparately = (layout: GraphLayout, layer: LayerShape, forced: boolean): boolean =>
  layer.heads > 0 && (forced || layout.composes(layer) || !canRotateInAttention(layer.headDim));

/** Tables [maxPositions, headDim / 2], once per head size and rotary embedding. */
function rotary(
  { graph, shape, maxPositions, once, element }: GraphContext,
  layer: LayerShape,
): { cos: string; sin: string } {
  const { headDim } = layer;
  const dims = [maxPositions, headDim / 2];
  const rope = ropeOf(shape, layer);
  // A layer's own embedding is named after the first layer that has it.
  const suffix = layer.rope === undefined ? '' : `.block${layer.source}`;
  const table = (part: 'cos' | 'sin') =>
    once(`rotary.${part}.${headDim} ${JSON.stringify(rope)}`, () => {
      const values = rotaryTables(rope, headDim, maxPositions)[part];
      const stored = element === 'float16' ? Uint16Array.from(values, numberToF16) : values;
      return graph.constant(`rotary.${part}.${headDim}${suffix}`, element, dims, new Uint8Array(stored.buffer));
    });
  return { cos: table('cos'), sin: table('sin') };
}

/** Queries, keys or values [batch, seqLen, channels] of the normalized stream x, before they are rotated. */
function project(context: GraphContext, index: number, layer: LayerShape, part: 'q' | 'k' | 'v', x: string): string {
  const { heads, kvHeads, headDim, qkNorm } = layer;
  const role = `${part}Proj` as const;
  const name = `layer${index}.${role}`;
  const weight = context.layerMatrix(role, layer);
  let vectors = linear(context, name, x, weight, biasOf(context, layer, `${part}Bias`));
  if (qkNorm !== undefined && part !== 'v') {
    // Rows of a token or of one head of it. GroupQueryAttention's own norm of heads is refused by wasm (1.30.0), so it serves no graph.
    const rows = qkNorm === 'all' ? vectors : toRows(context, `${name}.heads`, vectors, headDim);
    vectors = rmsnorm(context, `layer${index}.${part}Norm`, rows, context.layerVector(`${part}Norm`, layer));
  }
  return toSequences(context, `${name}.sequences`, vectors, (part === 'q' ? heads : kvHeads) * headDim);
}

/** GroupQueryAttention's window counts the query's own token, as ours; one that holds the whole graph hides nothing. */
const windowAttribute = ({ window }: LayerShape, maxPositions: number) =>
  window !== undefined && window < maxPositions ? { local_window_size: window } : {};

/**
 * Causal grouped-query attention with its cache: past [batch, kvHeads, past, headDim] → present. HF convention: channel
 * i rotates with i + headDim / 2.
 */
export function attentionBlock(context: GraphContext, index: number, layer: LayerShape, stream: Residual): Residual {
  const { graph, layerMatrix, element, layout } = context;
  const { heads, kvHeads, headDim } = layer;
  const name = (part: string) => `layer${index}.${part}`;
  const [x, summed] = blockInput(context, index, layer, 'attnNorm', stream);
  let query = project(context, index, layer, 'q', x);
  let key = project(context, index, layer, 'k', x);
  const value = project(context, index, layer, 'v', x);
  const { cos, sin } = rotary(context, layer);
  const separate = rotatesSeparately(layout, layer, context.separateRotary);
  if (separate) {
    const rotate = (part: string, vectors: string, count: number) =>
      graph.node(name(part), 'RotaryEmbedding', [vectors, 'position_ids', cos, sin], {
        domain: microsoft,
        ints: { num_heads: count, rotary_embedding_dim: 0, interleaved: 0 },
      });
    query = rotate('qRotary', query, heads);
    key = rotate('kRotary', key, kvHeads);
  }
  const { batch, ...lengths } = layout.symbols;
  const cacheDims = (when: 'past' | 'present') => [batch, kvHeads, lengths[when], headDim];
  const pastOf = (kind: 'key' | 'value') =>
    graph.input({ name: layout.cache('past', kind, index), type: element, dims: cacheDims('past') });
  const past = [pastOf('key'), pastOf('value')] as const;
  const present = [layout.cache('present', 'key', index), layout.cache('present', 'value', index)] as const;
  const composed = layout.composes(layer);
  let attended = name('attention');
  if (!layout.appends(layer)) {
    // Where the attention is composed the node only keeps the cache: its queries are the keys, and no node reads its
    // output.
    const inputs = [composed ? key : query, key, value, ...past, 'seqlens_k', 'total_sequence_length'];
    graph.node(name('attention'), 'GroupQueryAttention', separate ? inputs : [...inputs, cos, sin], {
      domain: microsoft,
      ints: {
        num_heads: composed ? kvHeads : heads,
        kv_num_heads: kvHeads,
        do_rotary: separate ? 0 : 1,
        rotary_interleaved: 0,
        ...(composed ? {} : windowAttribute(layer, context.maxPositions)),
      },
      floats: composed || layer.attnScale === undefined ? {} : { scale: layer.attnScale },
      outputs: [name('attention'), ...present],
    });
  } else {
    appendToCache(context, layer, key, past[0], present[0]);
    appendToCache(context, layer, value, past[1], present[1]);
  }
  for (const output of present) {
    graph.output({ name: output, type: element, dims: cacheDims('present') });
  }
  if (composed) attended = composedAttention(context, index, layer, query, present);
  const rows = toRows(context, name('attention.rows'), attended, heads * headDim);
  const mixed = linear(context, name('oProj'), rows, layerMatrix('oProj', layer), biasOf(context, layer, 'oBias'));
  return blockOutput(context, index, layer, 'postAttnNorm', summed, mixed);
}
