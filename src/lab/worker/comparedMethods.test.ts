import { expect, test } from 'vitest';
import { labelOf, methodsOf, requestOf, surveyFor, variantName } from './comparedMethods';

test('a method is a criterion or a width method, once, and the + rule is a criterion’s', () => {
  const methods = methodsOf(['ppl', 'taylor+', 'flap', 'random', 'width:random', 'ppl', 'block-pruner'], [8, 64, 8]);
  expect(methods.map(labelOf)).toEqual([
    'PPL',
    'Taylor+',
    'FLAP',
    'FLAP, rounded to 8',
    'FLAP, rounded to 64',
    'Random',
    'Random width',
    'Random width, rounded to 8',
    'Random width, rounded to 64',
    'BlockPruner',
  ]);
  expect(methods.slice(1, 4).map((method) => requestOf(method, 0.2))).toEqual([
    { criterion: 'taylor', ratio: 0.2, plus: true },
    { width: 'flap', ratio: 0.2 },
    { width: 'flap', ratio: 0.2, roundTo: 8 },
  ]);
  for (const wrong of ['', '+', 'flap+', 'width:ppl', 'taylor++', 'width:']) {
    expect(() => methodsOf([wrong])).toThrow(expect.objectContaining({ code: 'bad-argument' }));
  }
});

test('a variant is named after its method, the budget, the rounding and the repair that was asked for', () => {
  const [ppl, flap, rounded] = methodsOf(['ppl', 'flap'], [32]);
  expect(variantName(ppl!, { ratio: 0.125 }, 'replace-me')).toBe('PPL 12.5 %, ReplaceMe');
  expect(variantName(flap!, { msPerToken: 2.5 }, 'none')).toBe('FLAP ≤ 2.5 ms');
  expect(variantName(rounded!, { bytes: 3 * 2 ** 20 }, undefined)).toBe('FLAP ≤ 3.0 MiB, rounded to 32');
});

test('one pass is shared by two methods or more that read it, with the + rule where one of them has it', () => {
  const of = (...asked: string[]) => surveyFor(methodsOf(asked, [8]));
  expect(of('ppl', 'taylor+', 'flap', 'wanda-sp')).toEqual({ plus: true, width: true });
  expect(of('taylor', 'block-influence', 'ppl')).toEqual({ plus: false, width: false });
  expect(of('taylor', 'angular+')).toBeNull();
  expect(of('flap', 'magnitude', 'random', 'sleb', 'evopress')).toBeNull();
});
