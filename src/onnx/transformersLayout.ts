/**
 * @file The graph as transformers.js asks for it: an attention mask says how long each sequence is and where padding lies, and the
 * cache grows from run to run. Lengths, places and wanted rows are computed in the graph, from the mask, on the CPU.
 */
import type { ModelShape } from '../model/shape';
import { idsShape, int64Constant, reshape, scalar } from './blocks';
import { isComposed } from './composedAttention';
import type { GraphContext, GraphLayout } from './context';

const mask = 'attention_mask';
/** An end of a Slice that lies behind everything. */
const toTheEnd = 2 ** 31 - 1;

/** A whole number without dimensions, made once. */
function int64Scalar({ graph, once }: GraphContext, value: number): string {
  const name = `int64.${value}`;
  return once(name, () => graph.constant(name, 'int64', [], new Uint8Array(BigInt64Array.of(BigInt(value)).buffer)));
}

/** The last `count` [1] places along an axis; all of them for 0. */
function lastOf(context: GraphContext, name: string, x: string, count: string, axis: number): string {
  const { graph } = context;
  const begin = graph.node(`${name}.begin`, 'Neg', [count]);
  return graph.node(name, 'Slice', [x, begin, int64Constant(context, [toTheEnd]), int64Constant(context, [axis])]);
}

/** Values that many parts of the prologue read, without dimensions unless some are named. */
interface Sizes {
  /** Sequences, and new tokens of each. */
  readonly batch: string;
  readonly count: string;
  /** The new tokens' numbers 0, 1, …, [count]. */
  readonly places: string;
}

function sizesOf(context: GraphContext): Sizes {
  const { graph } = context;
  const sizes = idsShape(context);
  const batch = graph.node('size.batch', 'Gather', [sizes, int64Scalar(context, 0)]);
  const count = graph.node('size.tokens', 'Gather', [sizes, int64Scalar(context, 1)]);
  const places = graph.node('places', 'Range', [int64Scalar(context, 0), count, int64Scalar(context, 1)]);
  return { batch, count, places };
}

/** Tokens so far of the longest sequence, padding included: []. */
function longest(context: GraphContext): string {
  const { graph } = context;
  return graph.node('mask.length', 'Gather', [graph.node('mask.sizes', 'Shape', [mask]), int64Scalar(context, 1)]);
}

/**
 * `logit_rows` of the last `num_logits_to_keep` tokens of each sequence, all for 0, and their shape [batch, kept]. `turnedBy`
 * [batch, 1] is how many places the tokens of a sequence were turned to the left.
 */
function rows(context: GraphContext, { batch, count, places }: Sizes, turnedBy: string | null): void {
  const { graph } = context;
  const wanted = reshape(context, 'rows.wanted', 'num_logits_to_keep', [1]);
  let within = lastOf(context, 'rows.kept', places, wanted, 0);
  if (turnedBy !== null) {
    const back = graph.node('rows.back', 'Sub', [within, turnedBy]);
    within = graph.node('rows.turned', 'Mod', [back, count]);
  }
  const sequences = graph.node('rows.sequences', 'Range', [int64Scalar(context, 0), batch, int64Scalar(context, 1)]);
  const starts = graph.node('rows.starts', 'Mul', [reshape(context, 'rows.column', sequences, [-1, 1]), count]);
  const all = graph.node('rows.all', 'Add', [starts, within]);
  graph.node('logits.leading', 'Shape', [all]);
  reshape(context, 'logit_rows', all, [-1]);
}

/**
 * GroupQueryAttention counts each sequence's keys from the first place of its cache. So tokens behind padding are turned to the
 * front: a sequence gets the numbers that it gets alone. Padding behind tokens stays there, and new tokens overwrite it.
 */
function turned(context: GraphContext, sizes: Sizes, needsPlaces: boolean): { ids: string; by: string } {
  const { graph } = context;
  const size = graph.node('size.recent', 'Shape', ['input_ids'], { ints: { start: 1, end: 2 } });
  const recent = lastOf(context, 'mask.recent', mask, size, 1);
  const first = graph.node('mask.first', 'ArgMax', [recent], { ints: { axis: 1, keepdims: 1 } });
  const from = graph.node('ids.from', 'Add', [sizes.places, first]);
  const order = graph.node('ids.order', 'Mod', [from, sizes.count]);
  const ids = graph.node('ids.turned', 'GatherElements', ['input_ids', order], { ints: { axis: 1 } });
  const axis = int64Constant(context, [1]);
  const counted = graph.node('lengths', 'ReduceSum', [mask, axis], { ints: { keepdims: 0 } });
  // As GroupQueryAttention reads them.
  const last = graph.node('lengths.last', 'Sub', [counted, int64Scalar(context, 1)]);
  graph.node('seqlens_k', 'Cast', [last], { ints: { to: 6 } });
  graph.node('total_sequence_length', 'Cast', [longest(context)], { ints: { to: 6 } });
  if (needsPlaces) {
    const recentCount = graph.node('lengths.recent', 'ReduceSum', [recent, axis], { ints: { keepdims: 0 } });
    const before = graph.node('lengths.before', 'Sub', [counted, recentCount]);
    graph.node('position_ids', 'Add', [reshape(context, 'lengths.column', before, [-1, 1]), sizes.places]);
  }
  return { ids, by: first };
}

/** Where nothing is turned, a token's place is that of its key in the cache, padding included: rotation only sees distances. */
function placesInCache(context: GraphContext, { count, places }: Sizes): void {
  const { graph } = context;
  const before = graph.node('places.before', 'Sub', [longest(context), count]);
  const here = graph.node('places.inCache', 'Add', [places, before]);
  graph.node('position_ids', 'Expand', [here, idsShape(context)]);
}

/** 1 where a key is padding and else 0, [batch, 1, 1, keys]. */
function padding(context: GraphContext): string {
  const { graph, once } = context;
  return once('mask.padding', () => {
    const seen = graph.node('mask.seen', 'Cast', [mask], { ints: { to: 1 } });
    const hidden = graph.node('mask.unseen', 'Sub', [scalar(context, 1, 'float32'), seen]);
    return graph.node('mask.padding', 'Unsqueeze', [hidden, int64Constant(context, [1, 2])]);
  });
}

/**
 * The layout for a shape. Inputs: input_ids int64 [batch_size, sequence_length], attention_mask int64 [batch_size,
 * total_sequence_length] where an attention remains, num_logits_to_keep int64 [] (0 for all), past_key_values.i.key and .value
 * [batch_size, kvHeads, past_sequence_length, headDim]. Outputs: logits f32 [batch_size, kept, vocab], present.i.key and .value. Where
 * one layer's attention is computed node by node, all are, since padding is then masked and not moved.
 */
export function transformersLayout({ layers }: ModelShape): GraphLayout {
  const composed = layers.some(isComposed);
  return {
    symbols: { batch: 'batch_size', past: 'past_sequence_length', present: 'total_sequence_length' },
    cache: (when, kind, index) => `${when === 'past' ? 'past_key_values' : 'present'}.${index}.${kind}`,
    composes: () => composed,
    appends: () => composed,
    begin(context, { positionIds, groupQuery }) {
      const { graph } = context;
      graph.input({ name: 'input_ids', type: 'int64', dims: ['batch_size', 'sequence_length'] });
      if (groupQuery || composed) {
        graph.input({ name: mask, type: 'int64', dims: ['batch_size', 'total_sequence_length'] });
      }
      graph.input({ name: 'num_logits_to_keep', type: 'int64', dims: [] });
      const sizes = sizesOf(context);
      const moved = groupQuery ? turned(context, sizes, positionIds) : null;
      if (composed) placesInCache(context, sizes);
      rows(context, sizes, moved?.by ?? null);
      return moved?.ids ?? 'input_ids';
    },
    ...(composed && { padding }),
    rowLogits: 'logits.rows',
    end(context) {
      const { graph, shape } = context;
      const dims = ['logits.leading', int64Constant(context, [shape.vocab])];
      const target = graph.node('logits.shape', 'Concat', dims, { ints: { axis: 0 } });
      graph.node('logits', 'Reshape', ['logits.rows', target]);
      graph.output({ name: 'logits', type: 'float32', dims: ['batch_size', 'num_logits', shape.vocab] });
    },
  };
}
