import { expect, test } from 'vitest';
import { searches } from '../../importance/search/searches';
import { searchMenu } from './searchMenu';
import { stepName, stepNumbers, stepShort } from './steps';

test('the menu repeats the registry: same searches, order and names', () => {
  const pick = ({ id, label }: { id: string; label: string }) => ({ id, label });
  expect(searchMenu.map(pick)).toEqual(searches.map(pick));
});

test('steps in words, and which step removed what', () => {
  const steps = [
    { layer: 7, part: 'attention', perplexity: 1 },
    { layer: 2, part: 'mlp', perplexity: 2 },
  ] as const;
  expect(steps.map(stepShort)).toEqual(['7a', '2m']);
  expect(steps.map(stepName)).toEqual(['attention of block 7', 'MLP of block 2']);
  expect([...stepNumbers(steps)]).toEqual([
    [14, 1],
    [5, 2],
  ]);
  expect(stepShort({ layer: 7, part: 'block', perplexity: 1 })).toBe('7');
  expect([...stepNumbers([{ layer: 7, part: 'block', perplexity: 1 }])]).toEqual([[7, 1]]);
});
