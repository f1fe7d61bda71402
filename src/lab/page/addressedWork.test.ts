import { expect, test } from 'vitest';
import { type AddressedUnit, type AddressedWork, formatWork, planOfAddress, readWork, workOf } from './addressedWork';
import { testModel, testPage, without } from './testing/page';

const roundTrips: readonly (readonly [string, AddressedWork])[] = [
  ['model=demo&by=ppl', { model: 'demo', view: 'blocks', by: 'ppl', plan: [] }],
  [
    'model=demo&by=taylor&plan=2,5a,6m,7-9,11,12',
    {
      model: 'demo',
      view: 'blocks',
      by: 'taylor',
      plan: [
        { kind: 'block', layer: 2 },
        { kind: 'attention', layer: 5 },
        { kind: 'mlp', layer: 6 },
        ...[7, 8, 9, 11, 12].map((layer) => ({ kind: 'block' as const, layer })),
      ],
    },
  ],
  [
    'model=demo&view=width&by=flap&plan=1,2h0.2-4,4h5.6',
    {
      ...{ model: 'demo', view: 'width', by: 'flap' },
      plan: [
        { kind: 'block', layer: 1 },
        { kind: 'heads', layer: 2, heads: [0, 2, 3, 4] },
        { kind: 'heads', layer: 4, heads: [5, 6] },
      ],
    },
  ],
  [
    'model=demo&view=subblocks&by=taylor&plus&plan=3m',
    { model: 'demo', view: 'subBlocks', by: 'taylor', plus: true, plan: [{ kind: 'mlp', layer: 3 }] },
  ],
  [
    'model=owner/name@0123abc&view=subblocks&by=block-influence&plan=session',
    { model: 'owner/name@0123abc', view: 'subBlocks', by: 'block-influence', plan: 'session' },
  ],
  [
    'model=https://host/a%20b/&view=width&by=flap&width=flap:0.2:published:round32:within-groups',
    {
      model: 'https://host/a%20b/'.replace('%20', ' '),
      view: 'width',
      by: 'flap',
      plan: { method: 'flap', ratio: 0.2, asPublished: true, sequential: true, roundTo: 32, heads: 'within-groups' },
    },
  ],
];

test.each(roundTrips)('%s', (text, work) => {
  expect(formatWork(work)).toBe(text);
  const { model, ...rest } = work;
  expect(readWork(`?${text}`)).toEqual({ model, work: rest, ignored: [] });
});

test('an address that names only a model, or nothing, says nothing of the work', () => {
  expect(readWork('?model=demo&hub=https://other')).toEqual({ model: 'demo', work: null, ignored: [] });
  expect(readWork('?model=')).toEqual({ model: '', work: null, ignored: [] });
  expect(readWork('')).toEqual({ model: null, work: null, ignored: [] });
});

test.each([
  'plan=2,x',
  'plan=5-2',
  'plan=0-99999',
  'plan=-1',
  'plan=1e3',
  'plan=2h',
  'plan=2h1.',
  'plan=2h3-1',
  'plan=2h1.x',
  `plan=${'2h0-9999,'.repeat(3)}1`,
  'plan=2,,3',
  'plan=<img src=x onerror=alert(1)>',
  `plan=${'0-9999,'.repeat(200)}1`,
  `plan=${'1,'.repeat(5000)}1`,
  'width=flap:1.5',
  'width=flap:NaN',
  'width=__proto__:0.2',
  'width=flap:0.2:constructor',
  'width=flap:.5:round8:round8:round8:round8:round8',
  'by=__proto__',
  'by=flap',
  'view=toString',
  'view=width&by=ppl',
  'plus=1',
])('a bad part is ignored with a sentence: %s', (part) => {
  const { ignored, work } = readWork(`?model=demo&${part}`);
  expect(ignored).toHaveLength(1);
  expect(ignored[0]).toMatch(/^(plan|width|by|view|plus) is ignored: expected .+, got .+\.$/);
  expect(ignored[0]!.length).toBeLessThan(300);
  // A plan that is not understood changes none.
  if (/plan|width=/.test(part)) expect(work?.plan ?? 'session').toEqual(part.startsWith('view') ? [] : 'session');
});

test('the work of the page’s state; files of this device and repaired weights stay out of the address', () => {
  const page = testPage();
  expect(workOf(page.store.getState())).toBeNull();
  const model = testModel('demo');
  page.show(model, { plan: without(model, 1, 2) });
  expect(formatWork(workOf(page.store.getState())!)).toBe('model=demo&by=ppl&plan=1,2');
  page.show(model, { plan: without(model, 1), ownWeights: 'v1' });
  expect(workOf(page.store.getState())!.plan).toBe('session');
  page.show(model, { plan: { ...without(model), keepNeurons: [[0], null, null, null] } });
  expect(workOf(page.store.getState())!.plan).toBe('session');
  page.show(testModel('files:folder'));
  expect(workOf(page.store.getState())).toBeNull();
});

test('heads that were cut by hand are in the address, and its plan is theirs; heads that no block has are refused', () => {
  const page = testPage();
  const model = testModel('demo');
  const plan = { ...without(model, 3), keepHeads: [null, [0], null, null] };
  page.show(model, { plan });
  const work = workOf(page.store.getState())!;
  expect(formatWork(work)).toBe('model=demo&by=ppl&plan=3,1h1');
  expect(planOfAddress(model, work.plan as readonly AddressedUnit[])).toEqual(plan);
  const heads = (layer: number, head: number) => [{ kind: 'heads' as const, layer, heads: [head] }];
  expect(() => planOfAddress(model, heads(1, 2))).toThrow('query heads of block 1 below 2, each once, got 2');
  expect(() => planOfAddress(model, heads(4, 0))).toThrow('expected a block from 0 to 3, got 4');
});
