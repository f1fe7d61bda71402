import { expect, test } from 'vitest';
import { headGrid, walkedPlace } from './headGrid';

test('heads fit the column of a block, from 5 blocks to 40', () => {
  expect(headGrid(4, 2, 12, false)).toEqual({ columns: 2, perRow: 1 });
  expect(headGrid(4, 2, 5, false).columns).toBe(2);
  expect(headGrid(12, 1, 12, false).columns).toBe(4);
  expect(headGrid(32, 1, 32, true).columns).toBe(4);
  expect(headGrid(40, 1, 40, true).columns).toBe(5);
  expect(headGrid(8, 4, 32, true)).toEqual({ columns: 1, perRow: 4 });
  expect(headGrid(5, 3, 32, true)).toEqual({ columns: 1, perRow: 3 });
});

/** Two blocks of four units in two columns, and one without units. */
const blocks = [
  { units: 4, columns: 2 },
  { units: 4, columns: 2 },
  { units: 0, columns: 1 },
];
const path = (from: Parameters<typeof walkedPlace>[0], ...keys: string[]) =>
  keys.reduce((at, key) => walkedPlace(at, key, blocks)!, from);

test('arrows walk the heads of a block, then the next block, and down to the MLP', () => {
  expect(path({ block: 0, unit: 0 }, 'ArrowRight')).toEqual({ block: 0, unit: 1 });
  expect(path({ block: 0, unit: 3 }, 'ArrowRight')).toEqual({ block: 1, unit: 2 });
  expect(path({ block: 1, unit: 2 }, 'ArrowLeft')).toEqual({ block: 0, unit: 3 });
  expect(path({ block: 0, unit: 0 }, 'ArrowDown', 'ArrowDown')).toEqual({ block: 0, unit: 'mlp' });
  expect(path({ block: 0, unit: 'mlp' }, 'ArrowRight', 'ArrowUp')).toEqual({ block: 1, unit: 2 });
  expect(path({ block: 0, unit: 'mlp' }, 'ArrowDown')).toEqual({ block: 0, unit: 'mlp' });
});

test('a block without heads is one place, and the borders hold', () => {
  expect(path({ block: 1, unit: 1 }, 'ArrowRight')).toEqual({ block: 2, unit: 0 });
  expect(path({ block: 2, unit: 0 }, 'ArrowDown')).toEqual({ block: 2, unit: 'mlp' });
  expect(path({ block: 2, unit: 'mlp' }, 'ArrowUp')).toEqual({ block: 2, unit: 0 });
  expect(path({ block: 2, unit: 0 }, 'ArrowRight')).toEqual({ block: 2, unit: 0 });
  expect(path({ block: 0, unit: 0 }, 'ArrowLeft', 'ArrowUp')).toEqual({ block: 0, unit: 0 });
  expect(path({ block: 0, unit: 3 }, 'End')).toEqual({ block: 2, unit: 0 });
  expect(path({ block: 2, unit: 'mlp' }, 'Home')).toEqual({ block: 0, unit: 'mlp' });
  expect(walkedPlace({ block: 0, unit: 0 }, 'Tab', blocks)).toBeNull();
});
