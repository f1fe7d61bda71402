import { expect, test } from 'vitest';
import { criteria } from '../../importance/criteria';
import { menu, menuItem } from './menu';

test('the menu repeats the registry: same criteria, order, names and needs', () => {
  const pick = ({ id, label, needs }: { id: string; label: string; needs: string }) => ({ id, label, needs });
  expect(menu.map(pick)).toEqual(criteria.map(pick));
});

test('a criterion that the menu does not offer shows under its id', () => {
  expect(menuItem('sleb').label).toBe('sleb');
});
