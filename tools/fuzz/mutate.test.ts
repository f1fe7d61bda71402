import { expect, test } from 'vitest';
import { createRandom } from '../../src/numerics/random';
import { forEachMutation, mutateBytes, mutateJson, mutateText, pythonJson } from './mutate';

const json = { a: [1, 2, { b: 'text', c: null }], d: { e: true } };
const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);

test('a seed gives one mutation, and the original stays as it was', () => {
  const made = (seed: number) => pythonJson(mutateJson(createRandom(seed), json));
  expect(made(7)).toBe(made(7));
  expect(mutateBytes(createRandom(7), bytes)).toEqual(mutateBytes(createRandom(7), bytes));
  expect(mutateText(createRandom(7), 'some text')).toBe(mutateText(createRandom(7), 'some text'));
  expect(json).toEqual({ a: [1, 2, { b: 'text', c: null }], d: { e: true } });
  expect(bytes[99]).toBe(99);
});

test('mutations differ from each other, and nearly all from the original', async () => {
  const texts = new Set<string>();
  let same = 0;
  await forEachMutation((random) => {
    texts.add(pythonJson(mutateJson(random, json)));
    same += Number(Buffer.compare(mutateBytes(random, bytes), bytes) === 0);
  }, 300);
  expect(texts.size).toBeGreaterThan(150);
  expect(same).toBeLessThan(30);
});

test('what fails is named by its seed', async () => {
  const failing = forEachMutation((_, seed) => {
    if (seed === 3) throw new TypeError('broken');
  }, 5);
  await expect(failing).rejects.toThrow(/seed 3 .*TypeError: broken/);
});

test('numbers that are not finite are written as Python writes them', () => {
  expect(pythonJson([Number.NaN, Number.NEGATIVE_INFINITY, 'NaN'])).toBe('[NaN,-Infinity,"NaN"]');
});
