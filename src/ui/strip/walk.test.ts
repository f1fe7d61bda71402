import { expect, test } from 'vitest';
import type { SubBlock } from '../../lab/page/subBlocks';
import { walked } from './walk';

const from: SubBlock = { block: 3, part: 'attention' };

test.each([
  ['ArrowLeft', { block: 2, part: 'attention' }],
  ['ArrowRight', { block: 4, part: 'attention' }],
  ['ArrowDown', { block: 3, part: 'mlp' }],
  ['ArrowUp', { block: 3, part: 'attention' }],
  ['Home', { block: 0, part: 'attention' }],
  ['End', { block: 11, part: 'attention' }],
])('%s', (key, to) => {
  expect(walked(from, key, 12)).toEqual(to);
});

test('it stays on the strip, and other keys are left alone', () => {
  expect(walked({ block: 11, part: 'mlp' }, 'ArrowRight', 12)).toEqual({ block: 11, part: 'mlp' });
  expect(walked({ block: 0, part: 'mlp' }, 'ArrowLeft', 12)).toEqual({ block: 0, part: 'mlp' });
  expect(walked(from, 'Enter', 12)).toBeNull();
});
