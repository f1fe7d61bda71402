import { expect, test } from 'vitest';
import type { SubBlock } from '../../model/unit';
import { walked } from './walk';

const from: SubBlock = { layer: 3, kind: 'attention' };

test.each([
  ['ArrowLeft', { layer: 2, kind: 'attention' }],
  ['ArrowRight', { layer: 4, kind: 'attention' }],
  ['ArrowDown', { layer: 3, kind: 'mlp' }],
  ['ArrowUp', { layer: 3, kind: 'attention' }],
  ['Home', { layer: 0, kind: 'attention' }],
  ['End', { layer: 11, kind: 'attention' }],
])('%s', (key, to) => {
  expect(walked(from, key, 12)).toEqual(to);
});

test('it stays on the strip, and other keys are left alone', () => {
  expect(walked({ layer: 11, kind: 'mlp' }, 'ArrowRight', 12)).toEqual({ layer: 11, kind: 'mlp' });
  expect(walked({ layer: 0, kind: 'mlp' }, 'ArrowLeft', 12)).toEqual({ layer: 0, kind: 'mlp' });
  expect(walked(from, 'Enter', 12)).toBeNull();
});
