import { expect, test } from 'vitest';
import { criteria } from '../../importance/criteria';
import { subBlockMenu } from './subBlockMenu';

test('the menu of halves has exactly the criteria that score both halves', () => {
  const able = criteria.filter(({ units }) => units.includes('attention') && units.includes('mlp'));
  expect(subBlockMenu.map(({ id }) => id)).toEqual(able.map(({ id }) => id));
});
