/** @file Records that a link has to carry however odd they are: made from random ones, with other models, ids and words. */
import type { LayerShape } from '../../../model/shape';
import { createRandom, randomInt } from '../../../numerics/random';
import { emptyPlan } from '../../../pruning/plan';
import { type ModelRecord, restore } from '../../record';
import { randomRecord } from '../../testing/randomRecord';

/** Texts of many kinds: other scripts, emoji, control and direction characters, markup, half a surrogate pair. */
const words = [
  'Größe und Güte — 模型剪枝 — נִסּוּי',
  '👩‍🔬 pruned ✂️ “twice”',
  '<script>alert(1)</script> & "quotes" \\ \n\t\u0000\u202e\u200b',
  '\ud83d half a pair',
  '=1+1',
  '~',
  'x'.repeat(900),
];

/** One record; equal seeds make equal ones. */
export function awkwardRecord(seed: number): ModelRecord {
  const random = createRandom(seed + 1000);
  const pick = <T>(choices: readonly T[]): T => choices[randomInt(random, choices.length)] as T;
  const record = randomRecord(seed);
  const changes: readonly ((record: ModelRecord) => ModelRecord)[] = [
    (each) => each,
    (each) => ({ ...each, title: pick(words), notes: pick(words) }),
    (each) => ({ ...each, created: pick(['', 'yesterday', '2026-11-29T18:07:50Z', '-1']), program: pick(words) }),
    withoutBlocks,
    with80Blocks,
    (each) => ({ ...each, model: { ...each.model, shape: { ...each.model.shape, layers: unevenLayers } } }),
    (each) => renamed(each, pick(['plan7', 'v0', 'v12345678901', '', 'base2', words[0]!])),
    (each) => ({ ...each, scores: each.scores.map((scores) => ({ ...scores, order: scores.order.toReversed() })) }),
    (each) => ({ ...each, comparison: [], searches: {}, evolution: null, scores: [], widthScores: [] }),
  ];
  // Through the schema, so that the record is one that a session or a file could have.
  return restore(changes[seed % changes.length]!(record)).record;
}

/** A model of embeddings alone, with what can be said of it. */
function withoutBlocks(record: ModelRecord): ModelRecord {
  const { model, comparison } = record;
  const plan = emptyPlan(model.id);
  return {
    ...{ ...record, scores: [], widthScores: [], searches: {}, evolution: null },
    model: { ...model, shape: { ...model.shape, layers: [] } },
    comparison: comparison.map((row) => ({ ...row, plan, recipe: [] })),
  };
}

/** 80 blocks; plans and scores speak of more of them. */
function with80Blocks(record: ModelRecord): ModelRecord {
  const { model, scores, comparison } = record;
  const [layer] = model.shape.layers;
  const layers = Array.from({ length: 80 }, (_, source) => ({ ...layer!, source }));
  const far = Array.from({ length: 13 }, (_, index) => 80 - 6 * (13 - index));
  return {
    ...{ ...record, widthScores: [] },
    model: { ...model, shape: { ...model.shape, layers } },
    scores: scores.map((each) => ({
      ...{
        ...each,
        scores: layers.map((_, index) => 1e-20 * (index + 1)),
        order: layers.map((_, index) => 79 - index),
      },
      protected: [0, 1, 2, 3, 78, 79],
    })),
    comparison: comparison.map((row) => ({ ...row, plan: { ...emptyPlan(model.id), removeMlp: far }, recipe: [] })),
  };
}

/** Every kind of block that a shape can tell. Sizes fit the plans of `randomRecord`. */
const unevenLayers: readonly LayerShape[] = [
  { source: 0, heads: 2, kvHeads: 2, headDim: 4, ffn: 16, window: 128, biases: ['qBias', 'downBias'], qkNorm: 'all' },
  {
    source: 2,
    heads: 4,
    kvHeads: 1,
    headDim: 4,
    ffn: 32,
    rope: { theta: 5e5, scaling: { kind: 'linear', factor: 8 } },
  },
  {
    ...{ source: 3, heads: 2, kvHeads: 1, headDim: 4, ffn: 16, attnScale: 1 / Math.sqrt(3), scoreSoftcap: 50 },
    rope: {
      theta: 1e4,
      scaling: { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalPositions: 64 },
    },
  },
  {
    ...{ source: 7, heads: 2, kvHeads: 1, headDim: 4, ffn: 16, activation: 'gelu_tanh', normPlacement: 'both' },
    rope: {
      theta: 1e4,
      scaling: {
        ...{ kind: 'yarn', factor: 4, originalPositions: 32, betaFast: 32, betaSlow: 1 },
        ...{ truncate: true, attentionFactor: 1.138 },
      },
    },
  },
  { source: 8, heads: 2, kvHeads: 1, headDim: 4, ffn: 16 },
  { source: 9, heads: 2, kvHeads: 1, headDim: 4, ffn: 16 },
];

/** The first variant under another id, with the ids that name it. */
function renamed(record: ModelRecord, id: string): ModelRecord {
  const comparison = record.comparison.map((row) => ({
    ...row,
    variant: row.variant === 'v1' ? id : row.variant,
    parent: row.variant === 'v2' ? id : row.parent,
  }));
  return { ...record, comparison };
}
