import { expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import type { Setting } from '../method';
import { protectedBlocks, removalOrder } from '../order';
import reverseOrder from './reverseOrder';

test('the last blocks are removed first; the + rule protects the first four and the last two', async () => {
  const shape = { layers: Array.from({ length: 9 }) } as unknown as ModelShape;
  const scores = await reverseOrder.score({ shape } as Setting);
  expect(scores).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0]);
  expect(removalOrder(scores)).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0]);
  expect(removalOrder(scores, protectedBlocks(9))).toEqual([6, 5, 4]);
});
