/** @file The graph as it is timed: lengths and wanted rows are inputs, so that the caller may reuse the cache's buffers. */
import { groupQueryTakes, isComposed } from './composedAttention';
import type { GraphLayout } from './context';

/**
 * Inputs: input_ids int64 [batch, seqLen], logit_rows int64 [n] (indices into batch·seqLen rows), seqlens_k int32 [batch] (length so
 * far − 1) and total_sequence_length int32 [] where an attention node reads them, position_ids int64 [batch, seqLen] where a node
 * reads them, past_key_i and past_value_i [batch, kvHeads, past, headDim]. Outputs: logits f32 [n, vocab], present_key_i,
 * present_value_i.
 */
export const timedLayout: GraphLayout = {
  symbols: { batch: 'batch', past: 'past', present: 'present' },
  cache: (when, kind, index) => `${when}_${kind}_${index}`,
  composes: isComposed,
  appends: ({ headDim }) => !groupQueryTakes(headDim),
  begin({ graph }, { positionIds, groupQuery }) {
    const ids = graph.input({ name: 'input_ids', type: 'int64', dims: ['batch', 'seqLen'] });
    graph.input({ name: 'logit_rows', type: 'int64', dims: ['logit_rows'] });
    if (positionIds) graph.input({ name: 'position_ids', type: 'int64', dims: ['batch', 'seqLen'] });
    if (groupQuery) {
      graph.input({ name: 'seqlens_k', type: 'int32', dims: ['batch'] });
      graph.input({ name: 'total_sequence_length', type: 'int32', dims: [] });
    }
    return ids;
  },
  rowLogits: 'logits',
  end({ graph, shape }) {
    graph.output({ name: 'logits', type: 'float32', dims: ['logit_rows', shape.vocab] });
  },
};
