import { expect, test } from 'vitest';
import type { LayerShape, ModelShape } from './shape';
import {
  compareUnits,
  formatUnit,
  hasUnit,
  parseUnit,
  removeFromLayers,
  removeUnits,
  sameUnit,
  subBlocksOf,
  type Unit,
  unitParameters,
} from './unit';

const layer = (source: number): LayerShape => ({ source, heads: 4, kvHeads: 2, headDim: 2, ffn: 5 });
const layers = [0, 1, 2].map(layer);
const shape: ModelShape = {
  family: 'llama',
  vocab: 10,
  hidden: 8,
  layers,
  normEps: 1e-5,
  ropeTheta: 1e4,
  maxPositions: 64,
  tiedHead: true,
};
const units: Unit[] = [
  { kind: 'block', layer: 0 },
  { kind: 'attention', layer: 0 },
  { kind: 'mlp', layer: 0 },
  { kind: 'head', layer: 0, index: 2 },
  { kind: 'head', layer: 0, index: 10 },
  { kind: 'kvGroup', layer: 0, index: 1 },
  { kind: 'neuron', layer: 0, index: 3 },
  { kind: 'block', layer: 2 },
];

test('units have one order, and text that reads back', () => {
  expect([...units].reverse().sort(compareUnits)).toEqual(units);
  expect(units.map(formatUnit)).toEqual([
    'block 0',
    'attention 0',
    'mlp 0',
    'head 0.2',
    'head 0.10',
    'kvGroup 0.1',
    'neuron 0.3',
    'block 2',
  ]);
  for (const unit of units) {
    const read = parseUnit(formatUnit(unit));
    expect(read).toEqual(unit);
    expect(units.filter((other) => sameUnit(other, read!))).toEqual([unit]);
  }
});

test.each(['', 'block', 'block 1.2', 'head 1', 'head 1.-1', 'blocks 1', ' block 1', 'neuron 0.99999999999999999999'])(
  '%j is no unit',
  (text) => {
    expect(parseUnit(text)).toBeNull();
  },
);

test('blocks and sub-blocks: a layer that loses both its sub-blocks is gone', () => {
  const removed = removeUnits(shape, [
    { kind: 'attention', layer: 0 },
    { kind: 'mlp', layer: 1 },
    { kind: 'mlp', layer: 2 },
    { kind: 'attention', layer: 2 },
  ]);
  expect(removed).toEqual({
    ...shape,
    layers: [
      { ...layers[0], heads: 0, kvHeads: 0 },
      { ...layers[1], ffn: 0 },
    ],
  });
  expect(removeFromLayers(layers, [{ kind: 'block', layer: 1 }])).toEqual([layers[0], layers[2]]);
  expect(removeUnits(shape, [])).toEqual(shape);
});

test('heads, key/value groups and neurons make a layer smaller; all of them take its sub-block', () => {
  const first = (...some: readonly (readonly ['head' | 'kvGroup' | 'neuron', number])[]) =>
    removeFromLayers(
      layers,
      some.map(([kind, index]) => ({ kind, layer: 0, index })),
    )[0];
  expect(first(['kvGroup', 1], ['neuron', 0], ['neuron', 0], ['neuron', 4])).toEqual({
    ...layers[0],
    heads: 2,
    kvHeads: 1,
    ffn: 3,
  });
  expect(first(['head', 0], ['head', 3])).toEqual({ ...layers[0], heads: 2, kvHeads: 2 });
  expect(first(['head', 0], ['head', 1])).toEqual({ ...layers[0], heads: 2, kvHeads: 1 });
  expect(first(['kvGroup', 0], ['kvGroup', 1])).toEqual({ ...layers[0], heads: 0, kvHeads: 0 });
  expect(first(...[0, 1, 2, 3, 4].map((index) => ['neuron', index] as const))).toEqual({ ...layers[0], ffn: 0 });
  expect(() => first(['head', 0])).toThrow(/equally many query heads, got 1, 2/);
});

test('a unit that the model does not have is refused; a sub-block that a checkpoint lacks changes nothing', () => {
  expect(() => removeUnits(shape, [{ kind: 'block', layer: 3 }])).toThrow(/no block 3/);
  expect(() => removeUnits(shape, [{ kind: 'neuron', layer: 0, index: 5 }])).toThrow(/no neuron 0.5/);
  const [bare] = removeFromLayers(layers, [{ kind: 'attention', layer: 0 }]);
  expect(hasUnit([bare!], { kind: 'attention', layer: 0 })).toBe(false);
  expect(removeFromLayers([bare!], [{ kind: 'attention', layer: 0 }])).toEqual([bare]);
  expect(subBlocksOf([bare!, layers[1]!])).toEqual([
    { kind: 'mlp', layer: 0 },
    { kind: 'attention', layer: 1 },
    { kind: 'mlp', layer: 1 },
  ]);
});

test('what a unit saves: q, k, v, o and their norm; gate, up, down and theirs', () => {
  const attention = 8 + (8 + 4 + 4 + 8) * 8;
  const mlp = 8 + 3 * 5 * 8;
  expect(unitParameters(shape, { kind: 'attention', layer: 1 })).toBe(attention);
  expect(unitParameters(shape, { kind: 'mlp', layer: 1 })).toBe(mlp);
  expect(unitParameters(shape, { kind: 'block', layer: 1 })).toBe(attention + mlp);
  expect(unitParameters(shape, { kind: 'kvGroup', layer: 1, index: 0 })).toBe((4 + 2 + 2 + 4) * 8);
  expect(unitParameters(shape, { kind: 'neuron', layer: 1, index: 4 })).toBe(3 * 8);
});
