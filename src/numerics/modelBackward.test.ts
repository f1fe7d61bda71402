/** @file Gradients of whole tiny models against finite differences of their mean loss. */
import { describe, expect, test } from 'vitest';
import { modelMeanNll, type ReferenceLayer, type ReferenceShape, type ReferenceWeights } from './model';
import { modelGradients } from './modelBackward';
import type { RopeShape } from './rope';
import { slopes, uniform } from './testing/finiteDifferences';

const hidden = 6;
const vocab = 7;
const block = (source: number, changes: Partial<ReferenceLayer> = {}): ReferenceLayer => ({
  source,
  heads: 2,
  kvHeads: 1,
  headDim: 4,
  ffn: 5,
  ...changes,
});
const llama3: RopeShape = {
  theta: 50,
  scaling: { kind: 'llama3', factor: 4, lowFreqFactor: 0.1, highFreqFactor: 2, originalPositions: 16 },
};
const windows = [
  [1, 5, 2, 2, 6],
  [0, 3],
  [4, 4, 1],
];

function randomWeights(layers: readonly ReferenceLayer[], tied: boolean): ReferenceWeights {
  let seed = 0;
  const make = (count: number): Float64Array => uniform(count, ++seed);
  const norm = (size = hidden): Float64Array => make(size).map((value) => 1 + value / 2);
  const bySource: ReferenceWeights['layers'][number][] = [];
  for (const { source, heads, kvHeads, headDim, ffn, biases = [], qkNorm } of layers) {
    const widths: Record<string, number> = { qBias: heads, kBias: kvHeads, vBias: kvHeads, oBias: hidden / headDim };
    bySource[source] ??= {
      ...(heads === 0
        ? {}
        : {
            attnNorm: norm(),
            qProj: make(heads * headDim * hidden),
            kProj: make(kvHeads * headDim * hidden),
            vProj: make(kvHeads * headDim * hidden),
            oProj: make(hidden * heads * headDim),
            ...Object.fromEntries(biases.map((role) => [role, make(widths[role]! * headDim)])),
            ...(qkNorm === undefined ? {} : { qNorm: norm(headDim), kNorm: norm(headDim) }),
          }),
      ...(ffn === 0
        ? {}
        : { mlpNorm: norm(), gateProj: make(ffn * hidden), upProj: make(ffn * hidden), downProj: make(hidden * ffn) }),
    };
  }
  return {
    embed: make(vocab * hidden),
    finalNorm: norm(),
    ...(tied ? {} : { lmHead: make(vocab * hidden) }),
    layers: bySource,
  };
}

describe.each([
  ['two blocks, tied head', [block(0), block(1)], true],
  ['a block used twice, own head', [block(0), block(0)], false],
  ['without attention, without MLP, without both', [block(0, { heads: 0, kvHeads: 0 }), block(1, { ffn: 0 })], true],
  ['a head for each query', [block(0, { kvHeads: 2 })], false],
  ['biases', [block(0, { biases: ['qBias', 'kBias', 'vBias'] }), block(1, { biases: ['oBias'] })], true],
  [
    'norms of heads, with and without a bias',
    [block(0, { qkNorm: 'head' }), block(1, { qkNorm: 'head', biases: ['qBias'] })],
    true,
  ],
  [
    'a window in one block, another embedding in the other',
    [block(0, { window: 2 }), block(1, { rope: llama3 })],
    true,
  ],
])('%s', (_, layers, tied) => {
  const none = block(0, { heads: 0, kvHeads: 0, ffn: 0 });
  const shape: ReferenceShape = { hidden, layers: [...layers, none], normEps: 0.01, ropeTheta: 100 };
  const weights = randomWeights(layers, tied);
  const gradients = modelGradients(shape, weights, windows);
  const { layers: layerWeights, ...outside } = weights;
  const pairs = [
    ...Object.entries(outside).map(([role, values]) => [role, values, gradients[role as 'embed']] as const),
    ...layerWeights.flatMap((layer, source) =>
      Object.entries(layer).map(
        ([role, values]) => [`${role} ${source}`, values, gradients.layers[source]![role as 'qProj']!] as const,
      ),
    ),
  ];

  test.each(pairs)('%s', (_name, values, gradient) => {
    const expected = slopes(() => modelMeanNll(shape, weights, windows), values as Float64Array, 1e-5);
    expect(gradient).toHaveLength(expected.length);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1e-4);
    expected.forEach((slope, i) => {
      expect(Math.abs(gradient[i]! - slope), `element ${i}: slope ${slope}, got ${gradient[i]}`).toBeLessThan(2e-8);
    });
  });
});
