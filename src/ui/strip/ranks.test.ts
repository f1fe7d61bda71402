import { expect, test } from 'vitest';
import type { LayerShape, ModelShape } from '../../model/shape';
import type { Scores } from '../../report/scores';
import { significant } from '../parts/format';
import { attentionShare, covers, firstOut, ranksOf, scoreText, unitName, unitShort } from './ranks';

const scores = { criterion: 'ppl', scores: [90, 21.34, 25], window: 1 } as unknown as Scores;
const ranked = { label: 'Perplexity', scores, format: significant };

test('what a block’s tooltip says', () => {
  const ranks = ranksOf([1, 2]);
  expect(scoreText(ranked, 1, ranks.get(1))).toBe('perplexity 21.3, 1st of 3 to be removed');
  expect(scoreText(ranked, 0, ranks.get(0))).toBe('perplexity 90.0, protected by the + rule');
  expect(scoreText(ranked, 3, undefined)).toBe('no perplexity score for a span that starts here');
});

test('a span covers several blocks', () => {
  expect(covers(4, 1)).toBe('block 4');
  expect(covers(4, 3)).toBe('blocks 4–6');
  expect(firstOut([6, 5, 7, 8, 1])).toBe('6 · 5 · 7 · 8');
});

test('sub-blocks by name and in short', () => {
  expect([4, 5].map((index) => unitName('subBlocks', index))).toEqual(['attention of block 2', 'MLP of block 2']);
  expect([4, 5].map((index) => unitShort('subBlocks', index))).toEqual(['2a', '2m']);
  expect(firstOut([13, 10, 11], 'subBlocks')).toBe('6m · 5a · 5m');
});

test('attention’s share is counted in parameters, norms included', () => {
  const layer: LayerShape = { source: 0, heads: 2, kvHeads: 1, headDim: 2, ffn: 3 };
  const shape = { hidden: 4, layers: [layer] } as unknown as ModelShape;
  // attention: norm 4 + q 16 + k 8 + v 8 + o 16 = 52; MLP: norm 4 + 3 · 12 = 40
  expect(attentionShare(shape, 0)).toBeCloseTo(52 / 92, 12);
});
