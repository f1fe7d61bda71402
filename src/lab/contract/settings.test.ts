import { expect, test } from 'vitest';
import { engineSettings } from './settings';

test.each([
  ['', { halfPrecision: false, tuneUnasked: true }],
  ['?model=demo&precision=half', { halfPrecision: true, tuneUnasked: true }],
  ['?kernel=subgroup', { kernel: 'subgroup', halfPrecision: false, tuneUnasked: false }],
  ['?kernel=f16', { kernel: 'f16', halfPrecision: true, tuneUnasked: false }],
  ['?memory=512', { halfPrecision: false, tuneUnasked: true, memoryBytes: 512e6 }],
  ['?memory=much', { halfPrecision: false, tuneUnasked: true }],
  ['?precision=full', { halfPrecision: false, tuneUnasked: true }],
])("the address's query '%s'", (query, settings) => {
  expect(engineSettings(query)).toEqual(settings);
});
