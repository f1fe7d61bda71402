import { expect, test } from 'vitest';
import { columnsOf, endsText, shownEvolution, stepName, stepNumbers, stepShort } from './steps';

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
  expect(stepShort({ layer: 7, part: 'block' })).toBe('7');
  expect([...stepNumbers([{ layer: 7, part: 'block', perplexity: 1 }])]).toEqual([[7, 1]]);
});

test('barriers in words', () => {
  expect(endsText({ first: 0, last: 0 })).toBe('');
  expect(endsText({ first: 1, last: 0 })).toBe('The first 1 of the remaining blocks were kept. ');
  expect(endsText({ first: 0, last: 2 }, 'blocks')).toBe('The last 2 blocks were kept. ');
  expect(endsText({ first: 1, last: 2 })).toBe('The first 1 and the last 2 of the remaining blocks were kept. ');
});

test('a set as the strip counts it', () => {
  expect(columnsOf([{ layer: 2, part: 'block' }])).toEqual({ mode: 'blocks', removed: new Set([2]) });
  const subBlocks = [{ layer: 2, part: 'mlp' } as const, { layer: 3, part: 'attention' } as const];
  expect(columnsOf(subBlocks)).toEqual({ mode: 'subBlocks', removed: new Set([5, 6]) });
});

test('the evolution under way shows as soon as it has a set, else the last one', () => {
  const state = { removed: [{ layer: 1, part: 'block' as const }], trace: [{ generation: 0, kl: 1, evaluations: 4 }] };
  const running = (evolution?: typeof state) => {
    const progress = {
      stage: 'evolution',
      done: 0,
      total: 2,
      unit: 'generations',
      ...(evolution ? { evolution } : {}),
    };
    return { phase: 'running', progress } as const;
  };
  expect(shownEvolution(running(state), null)).toBe(state);
  expect(shownEvolution(running(), null)).toBeNull();
  expect(shownEvolution({ phase: 'idle' }, null)).toBeNull();
});
