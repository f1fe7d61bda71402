import { expect, test } from 'vitest';
import { criteria, scoreMethods } from '../../importance/methods';
import { evolutionItem, searchMenu } from '../searches/searchMenu';
import { meaningOf, menu, subBlockMenu } from './menu';

const ids = (items: readonly { id: string }[]): string[] => items.map(({ id }) => id);

test('the page offers every registered method', () => {
  const offered = new Set(ids([...menu, ...subBlockMenu, ...searchMenu, evolutionItem!]));
  expect([...offered].sort()).toEqual(ids(criteria).sort());
});

test('the menu of attentions and MLPs has exactly the criteria that score both', () => {
  const able = scoreMethods.filter(({ units }) => units.includes('attention') && units.includes('mlp'));
  expect(ids(subBlockMenu)).toEqual(ids(able));
  expect(ids(subBlockMenu)).not.toContain('magnitude');
});

test('a meaning fits the units, and is there for stored scores of any method', () => {
  expect(meaningOf('blocks', 'ppl')).toMatch(/without the block/);
  expect(meaningOf('subBlocks', 'ppl')).toMatch(/without this attention or MLP/);
  expect(meaningOf('subBlocks', 'random')).toBe(meaningOf('blocks', 'random'));
  expect(meaningOf('blocks', 'sleb')).toMatch(/^Greedy over blocks/);
});
