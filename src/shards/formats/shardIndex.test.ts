import { expect, test } from 'vitest';
import { parseShardIndex } from './shardIndex';

test('an index names its shards once, in order', () => {
  const { shards, weightMap } = parseShardIndex({
    metadata: { total_size: 1 },
    weight_map: { a: 'x-2.safetensors', b: 'x-1.safetensors', c: 'x-2.safetensors' },
  });
  expect(shards).toEqual(['x-2.safetensors', 'x-1.safetensors']);
  expect(weightMap.get('c')).toBe('x-2.safetensors');
});

test.each([
  ['../x.safetensors'],
  ['a/../../x.safetensors'],
  ['a/./x.safetensors'],
  ['a/b/c/d/e/x.safetensors'],
  ['__proto__'],
  [null],
  [{ constructor: 1 }],
  ['a\\x.safetensors'],
  ['/x.safetensors'],
  ['https://elsewhere.test/x.safetensors'],
  ['.hidden.safetensors'],
  ['x.bin'],
  ['x%2f.safetensors'],
  [7],
])('%j is no shard', (file) => {
  expect(() => parseShardIndex({ weight_map: { 'model.norm.weight': file } })).toThrow(/weight_map of model\.norm/);
});

test.each([[null], [{}], [{ weight_map: [] }], [{ weight_map: {} }], ['x']])('%j is no index', (json) => {
  expect(() => parseShardIndex(json)).toThrow(expect.objectContaining({ code: 'bad-weights' }));
});

test('a shard may lie in a folder below, and its path may begin with a dot', () => {
  const { shards } = parseShardIndex({ weight_map: { a: './x.safetensors', b: 'weights/y.safetensors' } });
  expect(shards).toEqual(['x.safetensors', 'weights/y.safetensors']);
});

test('tensors may have the names of what every object has', () => {
  const json = JSON.parse('{"weight_map": {"__proto__": "x.safetensors", "constructor": "y.safetensors"}}');
  expect([...parseShardIndex(json).weightMap.keys()]).toEqual(['__proto__', 'constructor']);
});

test('an index of too many shards is refused', () => {
  const entries = Array.from({ length: 1001 }, (_, i) => [`t${i}`, `s${i}.safetensors`]);
  expect(() => parseShardIndex({ weight_map: Object.fromEntries(entries) })).toThrow('at most 1000 shards, got 1001');
});
