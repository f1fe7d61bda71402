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
const sequences = [
  [1, 5, 2, 2, 6],
  [0, 3],
  [4, 4, 1],
];

function randomWeights(layers: readonly ReferenceLayer[], tied: boolean): ReferenceWeights {
  let seed = 0;
  const make = (count: number): Float64Array => uniform(count, ++seed);
  const norm = (size = hidden): Float64Array => make(size).map((value) => 1 + value / 2);
  const bySource: ReferenceWeights['layers'][number][] = [];
  for (const { source, heads, kvHeads, headDim, ffn, biases = [], qkNorm, normPlacement } of layers) {
    const [q, kv] = [heads * headDim, kvHeads * headDim];
    const ofAttention = { qBias: q, kBias: kv, vBias: kv, oBias: hidden };
    const ofMlp = { gateBias: ffn, upBias: ffn, downBias: hidden };
    const biasesOf = (sizes: Readonly<Record<string, number>>) =>
      Object.fromEntries(biases.flatMap((role) => (sizes[role] ? [[role, make(sizes[role])]] : [])));
    const norms = (before: string, behind: string) => ({
      ...(normPlacement === 'post' ? {} : { [before]: norm() }),
      ...(normPlacement === undefined ? {} : { [behind]: norm() }),
    });
    const [forQ, forK] = qkNorm === 'all' ? [heads * headDim, kvHeads * headDim] : [headDim, headDim];
    bySource[source] ??= {
      ...(heads === 0
        ? {}
        : {
            ...norms('attnNorm', 'postAttnNorm'),
            qProj: make(heads * headDim * hidden),
            kProj: make(kvHeads * headDim * hidden),
            vProj: make(kvHeads * headDim * hidden),
            oProj: make(hidden * heads * headDim),
            ...biasesOf(ofAttention),
            ...(qkNorm === undefined ? {} : { qNorm: norm(forQ), kNorm: norm(forK) }),
          }),
      ...(ffn === 0
        ? {}
        : {
            ...norms('mlpNorm', 'postMlpNorm'),
            gateProj: make(ffn * hidden),
            upProj: make(ffn * hidden),
            downProj: make(hidden * ffn),
            ...biasesOf(ofMlp),
          }),
    };
  }
  return {
    embed: make(vocab * hidden),
    finalNorm: norm(),
    ...(tied ? {} : { lmHead: make(vocab * hidden) }),
    layers: bySource,
  };
}

// An output near 0 makes its norm steep, for which finite differences are a poor reference; eps bounds that.
const normEps = 0.2;
const gemma: Partial<ReferenceShape> = { normEps, normOffset: 1, embedScale: Math.sqrt(hidden), logitSoftcap: 1.5 };

describe.each<[name: string, layers: ReferenceLayer[], tied: boolean, whole?: Partial<ReferenceShape>]>([
  ['two blocks, tied head', [block(0), block(1)], true],
  ['a block used twice, own head', [block(0), block(0)], false],
  ['without attention, without MLP, without both', [block(0, { heads: 0, kvHeads: 0 }), block(1, { ffn: 0 })], true],
  ['a head for each query', [block(0, { kvHeads: 2 })], false],
  ['biases', [block(0, { biases: ['qBias', 'kBias', 'vBias'] }), block(1, { biases: ['oBias'] })], true],
  [
    'biases of the MLP: all, one, and with a norm behind',
    [
      block(0, { biases: ['gateBias', 'upBias', 'downBias', 'oBias'] }),
      block(1, { biases: ['upBias'] }),
      block(2, { biases: ['gateBias', 'downBias'], ...{ heads: 0, kvHeads: 0 }, normPlacement: 'post' }),
      block(3, { biases: ['downBias'], ...{ heads: 0, kvHeads: 0 }, normPlacement: 'both', activation: 'gelu_tanh' }),
    ],
    true,
    { normEps },
  ],
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
  [
    'norms on outputs and over all heads',
    [block(0, { normPlacement: 'post', qkNorm: 'all' }), block(1)],
    false,
    { normEps },
  ],
  [
    'norms on inputs and outputs, GELU, soft caps and scales',
    [
      block(0, { normPlacement: 'both', activation: 'gelu_tanh', attnScale: 0.8, scoreSoftcap: 1.2, window: 3 }),
      block(1, { normPlacement: 'both', activation: 'gelu_tanh', qkNorm: 'head' }),
    ],
    true,
    gemma,
  ],
  [
    'half a block with norms on inputs and outputs',
    [
      block(0, { normPlacement: 'both', heads: 0, kvHeads: 0 }),
      block(1, { normPlacement: 'both', ffn: 0, biases: ['oBias'] }),
      block(2, { normPlacement: 'post', ffn: 0 }),
      block(3, { normPlacement: 'post', heads: 0, kvHeads: 0 }),
    ],
    false,
    gemma,
  ],
])('%s', (_, layers, tied, whole) => {
  const none = block(0, { heads: 0, kvHeads: 0, ffn: 0 });
  const shape: ReferenceShape = { hidden, layers: [...layers, none], normEps: 0.01, ropeTheta: 100, ...whole };
  const weights = randomWeights(layers, tied);
  const gradients = modelGradients(shape, weights, sequences);
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
    const expected = slopes(() => modelMeanNll(shape, weights, sequences), values as Float64Array, 1e-6);
    expect(gradient).toHaveLength(expected.length);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1e-4);
    expected.forEach((slope, i) => {
      expect(Math.abs(gradient[i]! - slope), `element ${i}: slope ${slope}, got ${gradient[i]}`).toBeLessThan(2e-8);
    });
  });
});
