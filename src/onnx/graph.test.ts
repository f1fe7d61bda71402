import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { expect, test } from 'vitest';
import { LabError } from '../errors';
import type { BiasRole, LayerShape, ModelShape, RopeShape } from '../model/shape';
import type { StoredDtype, WeightSource } from '../model/weights';
import { modelLogits } from '../numerics/model';
import { createRandom, randomInt } from '../numerics/random';
import { packed } from '../weights/packed';
import { widened, widenedFile } from '../weights/widened';
import { checkGraph } from './check';
import { buildGraph, type GraphOptions, type ModelGraph } from './graph';
import { type RandomModel, randomModel, tinyShape } from './testing/randomModel';
import { openGraph } from './testing/runGraph';

const options: GraphOptions = { maxPositions: 96 };

function randomTokens(count: number, vocab: number, seed: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => randomInt(random, vocab));
}

/** Largest difference, in units of the largest reference logit. */
function relativeError(got: Float32Array, want: Float64Array): number {
  expect(got.length).toBe(want.length);
  const scale = want.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  return want.reduce((worst, value, i) => Math.max(worst, Math.abs(value - got[i]!)), 0) / scale;
}

async function problemsOf(graph: ModelGraph): Promise<string[]> {
  const sizes = graph.externalFiles.map(async (name) => [name, (await graph.file(name)).size] as const);
  return checkGraph(graph.model, Object.fromEntries(await Promise.all(sizes)));
}

/** Prefill of 16, eight single steps and 24 rows behind them, then 48 at once in a fresh session: all against float64. */
async function compare({ shape, weights, reference }: RandomModel, change: Partial<GraphOptions> = {}): Promise<void> {
  const graph = buildGraph(shape, weights, { ...options, ...change });
  expect(await problemsOf(graph)).toEqual([]);
  const tokens = randomTokens(48, shape.vocab, 7);
  const want = modelLogits(shape, reference, tokens);
  const { vocab } = shape;

  const decoding = await openGraph(graph, shape);
  expect(relativeError(await decoding.step([tokens.slice(0, 16)]), want.slice(0, 16 * vocab))).toBeLessThan(1e-5);
  for (let t = 16; t < 24; t++) {
    expect(relativeError(await decoding.step([[tokens[t]!]]), want.slice(t * vocab, (t + 1) * vocab))).toBeLessThan(
      1e-5,
    );
  }
  expect(relativeError(await decoding.step([tokens.slice(24)]), want.slice(24 * vocab))).toBeLessThan(1e-5);
  const whole = await openGraph(graph, shape);
  expect(relativeError(await whole.step([tokens]), want)).toBeLessThan(1e-5);
}

/** The shape with further fields in its layers. */
function withLayers(shape: ModelShape, changes: readonly Partial<LayerShape>[]): ModelShape {
  return { ...shape, layers: shape.layers.map((layer, index) => ({ ...layer, ...changes[index] })) };
}

const llama3: RopeShape = {
  theta: 10000,
  scaling: { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalPositions: 32 },
};
const yarn: RopeShape = {
  theta: 500,
  scaling: {
    kind: 'yarn',
    factor: 4,
    originalPositions: 24,
    betaFast: 2,
    betaSlow: 1,
    truncate: true,
    attentionFactor: 1.2,
  },
};

const allBiases: readonly BiasRole[] = ['qBias', 'kBias', 'vBias', 'oBias'];
const mlpBiases: readonly BiasRole[] = ['gateBias', 'upBias', 'downBias'];
const families = withLayers(
  tinyShape([
    [4, 2, 16, 40],
    [4, 2, 8, 40],
    [4, 2, 16, 40],
  ]),
  [
    { window: 9, biases: [...allBiases, ...mlpBiases], qkNorm: 'head' },
    { window: 20, qkNorm: 'head', rope: llama3 },
    { biases: ['qBias', 'kBias', 'vBias'], rope: yarn },
  ],
);

/** Every part that Gemma and OLMo 2 add, in a mix that neither has. */
const gemmas = {
  ...withLayers(
    tinyShape([
      [4, 2, 16, 40],
      [6, 2, 8, 40],
      [4, 1, 16, 40],
      [4, 4, 16, 40],
    ]),
    [
      {
        ...{ window: 9, attnScale: 0.2, scoreSoftcap: 3, activation: 'gelu_tanh', normPlacement: 'both' },
        biases: ['downBias', 'gateBias'],
      },
      { scoreSoftcap: 2, qkNorm: 'all', biases: [...allBiases, ...mlpBiases], normPlacement: 'post' },
      { window: 20, attnScale: 0.3, qkNorm: 'head', activation: 'gelu_tanh', rope: llama3 },
      { qkNorm: 'all', normPlacement: 'post', activation: 'gelu_tanh' },
    ],
  ),
  normOffset: 0.25,
  embedScale: 5.65,
  logitSoftcap: 8,
};

/** Heads that GroupQueryAttention refuses, with all that a family may ask of an attention. */
const oddHeads: ModelShape = withLayers(
  tinyShape(
    [
      [4, 2, 12, 17],
      [3, 1, 10, 40],
      [4, 4, 4, 5],
      [4, 2, 16, 40],
      [6, 2, 36, 40],
      [2, 1, 20, 40],
    ],
    { hidden: 30 },
  ),
  [
    { window: 9 },
    { biases: allBiases, qkNorm: 'head', rope: llama3 },
    { scoreSoftcap: 2, window: 20 },
    { window: 9 },
    { qkNorm: 'all', attnScale: 0.2, window: 9, normPlacement: 'post' },
    { rope: yarn },
  ],
);

const shapes: [string, ModelShape][] = [
  [
    'headDim 8, GQA 8/4, tied',
    tinyShape([
      [8, 4, 8, 40],
      [8, 4, 8, 40],
    ]),
  ],
  [
    'headDim 16, GQA 8/4, untied',
    tinyShape(
      [
        [8, 4, 16, 40],
        [8, 4, 16, 40],
      ],
      { tiedHead: false },
    ),
  ],
  [
    'headDim 16, MHA 2/2',
    tinyShape([
      [2, 2, 16, 33],
      [2, 2, 16, 33],
    ]),
  ],
  ['headDim 24 (rotated separately), hidden ≠ heads·headDim', tinyShape([[2, 1, 24, 40]], { ropeTheta: 500000 })],
  [
    'layers of different shapes and head sizes',
    tinyShape([
      [8, 4, 16, 40],
      [2, 1, 8, 17],
      [3, 3, 16, 5],
    ]),
  ],
  [
    'no attention in layer 0',
    tinyShape([
      [0, 0, 16, 40],
      [4, 2, 16, 40],
    ]),
  ],
  [
    'no MLP in the last layer',
    tinyShape([
      [4, 2, 16, 40],
      [4, 2, 16, 0],
    ]),
  ],
  [
    'a layer without either',
    tinyShape([
      [4, 2, 16, 40],
      [0, 0, 16, 0],
      [4, 2, 8, 40],
    ]),
  ],
  [
    'MLPs alone, so no cache at all',
    tinyShape([
      [0, 0, 16, 40],
      [0, 0, 16, 40],
    ]),
  ],
  [
    'rotary embeddings that differ from layer to layer',
    withLayers(
      tinyShape([
        [4, 2, 16, 40],
        [4, 2, 16, 40],
        [4, 2, 8, 40],
      ]),
      [{ rope: llama3 }, {}, { rope: yarn }],
    ),
  ],
  [
    'biases of every projection, both rotary forms',
    withLayers(
      tinyShape([
        [4, 2, 16, 40],
        [4, 2, 8, 40],
        [4, 2, 8, 40],
      ]),
      [{ biases: [...allBiases, ...mlpBiases] }, { biases: allBiases }, { biases: ['kBias', 'oBias', 'upBias'] }],
    ),
  ],
  [
    'norms of heads, both rotary forms',
    withLayers(
      tinyShape([
        [4, 2, 16, 40],
        [6, 3, 8, 40],
      ]),
      [{ qkNorm: 'head' }, { qkNorm: 'head' }],
    ),
  ],
  [
    'windows of some layers, both rotary forms',
    withLayers(
      tinyShape([
        [4, 2, 16, 40],
        [4, 2, 16, 40],
        [4, 2, 8, 40],
        [4, 2, 16, 40],
      ]),
      [{ window: 5 }, {}, { window: 1 }, { window: 17 }],
    ),
  ],
  ['everything at once', families],
  [
    'queries and keys normed over all heads',
    withLayers(
      tinyShape([
        [4, 2, 16, 40],
        [6, 3, 8, 40],
      ]),
      [{ qkNorm: 'all' }, { qkNorm: 'all', biases: allBiases }],
    ),
  ],
  [
    'scales of scores, both rotary forms',
    withLayers(
      tinyShape([
        [4, 2, 16, 40],
        [4, 2, 8, 40],
      ]),
      [{ attnScale: 0.1 }, { attnScale: 0.5 }],
    ),
  ],
  [
    'soft caps of scores: with windows, without, of one key/value head or one for each, and a layer without',
    withLayers(
      tinyShape([
        [4, 2, 16, 40],
        [4, 1, 8, 40],
        [4, 2, 16, 40],
        [3, 3, 24, 40],
      ]),
      [{ scoreSoftcap: 1.5, window: 5 }, { scoreSoftcap: 3, attnScale: 0.5 }, {}, { scoreSoftcap: 2, window: 96 }],
    ),
  ],
  [
    'norms on outputs, on both sides and on inputs, with sub-blocks gone',
    withLayers(
      tinyShape([
        [4, 2, 16, 40],
        [4, 2, 16, 0],
        [0, 0, 16, 40],
        [4, 2, 16, 40],
      ]),
      [{ normPlacement: 'post' }, { normPlacement: 'post' }, { normPlacement: 'both' }, {}],
    ),
  ],
  ['norms on outputs up to the head', withLayers(tinyShape([[4, 2, 16, 40]]), [{ normPlacement: 'post' }])],
  ['GELU', withLayers(tinyShape([[4, 2, 16, 40]]), [{ activation: 'gelu_tanh' }])],
  ['norm weights less 1', tinyShape([[4, 2, 16, 40]], { normOffset: 1 })],
  ['a scaled embedding and capped logits, tied', tinyShape([[4, 2, 16, 40]], { embedScale: 24, logitSoftcap: 4 })],
  ['capped logits, untied', tinyShape([[4, 2, 16, 40]], { logitSoftcap: 40, tiedHead: false })],
  ['all of Gemma and OLMo 2', gemmas],
  ['head dimensions that 8 does not divide, beside some that it does', oddHeads],
  ['head dimension 100, one key/value head', tinyShape([[3, 1, 100, 40]])],
  [
    'head dimension 2, a window of 1, one token wide vocabulary',
    withLayers(tinyShape([[1, 1, 2, 1]]), [{ window: 1 }]),
  ],
  ['sizes that nothing divides', tinyShape([[5, 1, 6, 7]], { hidden: 33, vocab: 1009, tiedHead: false })],
  ['head dimension 256', tinyShape([[2, 1, 256, 40]])],
  ['no layers', tinyShape([])],
];

test.each(shapes)('logits equal the float64 forward: %s', async (_, shape) => {
  await compare(randomModel(shape));
});

test.each<StoredDtype>(['F16', 'BF16'])('logits equal the float64 forward of weights stored as %s', async (dtype) => {
  await compare(randomModel(shapes[0]![1], dtype));
  await compare(randomModel(shapes[1]![1], dtype));
  await compare(randomModel(families, dtype));
  await compare(randomModel(gemmas, dtype));
});

test('separate rotary nodes give the same numbers as the attention node', async () => {
  const model = randomModel(
    tinyShape([
      [8, 4, 16, 40],
      [4, 4, 32, 40],
    ]),
  );
  await compare(model, { separateRotary: true });
  const fused = buildGraph(model.shape, model.weights, options);
  const separate = buildGraph(model.shape, model.weights, { ...options, separateRotary: true });
  expect(fused.report.positionIds).toBe(false);
  expect(separate.report.positionIds).toBe(true);
  expect(separate.report.nodes).toBe(fused.report.nodes + 4);
});

test('a variant reads the same bytes of the same file under the same names', async () => {
  const whole = randomModel(
    tinyShape([
      [4, 2, 16, 40],
      [4, 2, 16, 40],
      [4, 2, 16, 40],
    ]),
  );
  const layers = [whole.shape.layers[0]!, { ...whole.shape.layers[2]!, heads: 0, kvHeads: 0 }];
  const variant = { ...whole, shape: { ...whole.shape, layers } };
  await compare(variant);
  const initializers = (graph: ModelGraph) =>
    new Map(
      fromBinary(ModelProtoSchema, graph.model)
        .graph!.initializer.filter(({ externalData }) => externalData.length > 0)
        .map(({ name, externalData }) => [name, externalData.map(({ value }) => value).join()]),
    );
  const base = initializers(buildGraph(whole.shape, whole.weights, options));
  const pruned = initializers(buildGraph(variant.shape, whole.weights, options));
  expect(pruned.size).toBe(2 + 9 + 4);
  for (const [name, range] of pruned) expect(base.get(name)).toBe(range);
  expect(pruned.has('block2.gateProj')).toBe(true);
  expect([...pruned.keys()].some((name) => name.startsWith('block1.'))).toBe(false);
});

test.each<StoredDtype>(['F32', 'F16', 'BF16'])(
  'weights of a variant packed into one file, stored as %s',
  async (dtype) => {
    const whole = randomModel(
      tinyShape([
        [4, 2, 16, 40],
        [4, 2, 16, 40],
        [4, 2, 16, 40],
      ]),
      dtype,
    );
    const layers = [
      { ...whole.shape.layers[0]!, ffn: 0 },
      { ...whole.shape.layers[2]!, heads: 0, kvHeads: 0 },
    ];
    const shape = { ...whole.shape, layers };
    const weights = packed(shape, widened(shape, whole.weights), 'model.onnx_data');
    await compare({ ...whole, shape, weights });
    const graph = buildGraph(shape, weights, options);
    expect(graph.externalFiles).toEqual(['model.onnx_data']);
    const { size } = await graph.file('model.onnx_data');
    // What was removed is not in it; gaps are less than a page each.
    const used = graph.report.weightBytes / (dtype === 'F16' ? 2 : 1);
    expect(size).toBeGreaterThanOrEqual(used);
    expect(size).toBeLessThan(used + 4096 * (2 + 9));
  },
);

test('the attention node has a window only where it hides something', () => {
  const shape = withLayers(
    tinyShape([
      [4, 2, 16, 40],
      [4, 2, 16, 40],
      [4, 2, 16, 40],
    ]),
    [{ window: 95 }, { window: 96 }, {}],
  );
  const { model } = buildGraph(shape, randomModel(shape).weights, options);
  const sequences = fromBinary(ModelProtoSchema, model)
    .graph!.node.filter(({ opType }) => opType === 'GroupQueryAttention')
    .map(({ attribute }) => attribute.find(({ name }) => name === 'local_window_size')?.i);
  expect(sequences).toEqual([95n, undefined, undefined]);
});

test('a soft cap of scores is no attribute, which WebGPU would not read; masks are made once per window', () => {
  const layer = [4, 2, 16, 40];
  const cap = { scoreSoftcap: 2 };
  const shape = withLayers(tinyShape([layer, layer, layer, layer, layer]), [
    { ...cap, window: 9 },
    cap,
    { window: 9 },
    { ...cap, window: 9 },
    { ...cap, window: 96 },
  ]);
  const { model, report } = buildGraph(shape, randomModel(shape).weights, options);
  const nodes = fromBinary(ModelProtoSchema, model).graph!.node;
  const attentions = nodes.filter(({ opType }) => opType === 'GroupQueryAttention');
  expect(attentions.map(({ attribute }) => attribute.some(({ name }) => name === 'softcap'))).not.toContain(true);
  const masks = nodes
    .filter(({ name, opType }) => name.startsWith('mask.') && opType === 'Mul')
    .map(({ name }) => name);
  expect(masks).toEqual(['mask.9', 'mask.causal']);
  expect(report.positionIds).toBe(true);
});

test('one pair of rotary tables per embedding and head size', () => {
  const shape = withLayers(
    tinyShape([
      [4, 2, 16, 40],
      [4, 2, 16, 40],
      [4, 2, 8, 40],
      [4, 2, 16, 40],
    ]),
    [{ rope: llama3 }, { rope: { ...llama3 } }, { rope: llama3 }, {}],
  );
  const { model } = buildGraph(shape, randomModel(shape).weights, options);
  const names = fromBinary(ModelProtoSchema, model).graph!.initializer.map(({ name }) => name);
  expect(names.filter((name) => name.startsWith('rotary.cos')).sort()).toEqual([
    'rotary.cos.16',
    'rotary.cos.16.block0',
    'rotary.cos.8.block2',
  ]);
});

test.each([
  [8, 16],
  [12, 16],
  [6, 10],
])('a batch of rows, chosen logit rows and steps behind them: head dimensions %i and %i', async (first, second) => {
  const { shape, weights, reference } = randomModel(
    tinyShape([
      [4, 2, first, 40],
      [4, 2, second, 40],
    ]),
  );
  const running = await openGraph(buildGraph(shape, weights, options), shape);
  const batch = [randomTokens(40, shape.vocab, 1), randomTokens(40, shape.vocab, 2)];
  const logits = await running.step(batch, [39, 45]);
  const row = (tokens: number[], index: number) =>
    modelLogits(shape, reference, tokens).slice(index * shape.vocab, (index + 1) * shape.vocab);
  expect(relativeError(logits.slice(0, shape.vocab), row(batch[0]!, 39))).toBeLessThan(1e-5);
  expect(relativeError(logits.slice(shape.vocab), row(batch[1]!, 5))).toBeLessThan(1e-5);
  const next = await running.step([[7], [11]]);
  expect(relativeError(next.slice(0, shape.vocab), row([...batch[0]!, 7], 40))).toBeLessThan(1e-5);
  expect(relativeError(next.slice(shape.vocab), row([...batch[1]!, 11], 40))).toBeLessThan(1e-5);
});

test('a graph without an attention node asks for nothing that only such a node reads', () => {
  const inputsOf = (shape: ModelShape) => {
    const { report } = buildGraph(shape, randomModel(shape).weights, options);
    return { names: report.inputs.map(({ name }) => name), staticCache: report.staticCache };
  };
  const composed = inputsOf(tinyShape([[4, 2, 12, 40]]));
  expect(composed.names).toEqual(['input_ids', 'logit_rows', 'position_ids', 'past_key_0', 'past_value_0']);
  expect(composed.staticCache).toBe(false);
  expect(inputsOf(oddHeads).names).toContain('seqlens_k');
  expect(inputsOf(oddHeads).staticCache).toBe(false);
  expect(inputsOf(families).staticCache).toBe(true);
});

test('the graph says who made it and stays small', () => {
  const { shape, weights } = randomModel(
    tinyShape([
      [4, 2, 16, 40],
      [4, 2, 16, 40],
    ]),
  );
  const graph = buildGraph(shape, weights, {
    maxPositions: 32,
    name: 'without block 3',
    metadata: { revision: 'abc' },
  });
  const proto = fromBinary(ModelProtoSchema, graph.model);
  const metadata = new Map(proto.metadataProps.map(({ key, value }) => [key, value]));
  expect(proto.producerName).toBe('Secateur');
  expect(metadata.get('variant')).toBe('without block 3');
  expect(metadata.get('revision')).toBe('abc');
  expect(proto.opsetImport.map(({ domain, version }) => `${domain}:${version}`)).toEqual([':21', 'com.microsoft:1']);
  expect(graph.externalFiles).toEqual(['model.safetensors']);
  expect(graph.model.length).toBeLessThan(12_000);
  expect(graph.report.weightBytes).toBe(
    61 * 32 * 4 + 4 * 32 + 2 * 4 * (32 * 2 + 32 * (64 + 32 + 32 + 64) + 3 * 32 * 40),
  );
  expect(graph.report.largestWeightBytes).toBe(64 * 32 * 4);
  expect(graph.report.cachedLayers).toEqual([0, 1]);
});

test('BF16 weights are widened once and shared by all variants', async () => {
  const { shape, weights } = randomModel(
    tinyShape([
      [4, 2, 16, 40],
      [4, 2, 16, 40],
    ]),
    'BF16',
  );
  let reads = 0;
  const counted: WeightSource = {
    ...weights,
    read: (ref, signal) => {
      reads += 1;
      return weights.read(ref, signal);
    },
  };
  const whole = buildGraph(shape, counted, options);
  const variant = buildGraph({ ...shape, layers: shape.layers.slice(1) }, counted, options);
  expect(whole.externalFiles).toEqual([widenedFile]);
  await expect(whole.file(widenedFile, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  expect((await whole.file(widenedFile)).size).toBe(whole.report.weightBytes);
  expect((await variant.file(widenedFile)).size).toBe(variant.report.weightBytes);
  expect(reads).toBe(2 + 18);
  const wide = widened(shape, counted);
  expect(await problemsOf(variant)).toEqual([]);
  const ref = wide.layerTensor('upProj', 1);
  expect(ref.dtype).toBe('F32');
  const stored = await weights.read(weights.layerTensor('upProj', 1));
  const bytes = await wide.read(ref);
  expect(bytes.filter((_, i) => i % 4 >= 2)).toEqual(stored);
  expect(bytes.filter((_, i) => i % 4 < 2).every((byte) => byte === 0)).toBe(true);
});

test('a weight that does not fit the shape is refused by name', () => {
  const { shape, weights } = randomModel(tinyShape([[4, 2, 16, 40]]));
  const wrong = { ...shape, layers: [{ ...shape.layers[0]!, ffn: 41 }] };
  const build = () => buildGraph(wrong, weights, options);
  expect(build).toThrow(LabError);
  expect(build).toThrow(/block0\.gateProj.*expected \[41, 32\], got \[40, 32\]/);
  expect(() => buildGraph(shape, weights, { maxPositions: 0 })).toThrow(/positive number of positions/);
});

test('the checker finds what is wrong', () => {
  const { shape, weights } = randomModel(tinyShape([[4, 2, 16, 40]]));
  const short = checkGraph(buildGraph(shape, weights, options).model, { 'model.safetensors': 100 });
  expect(short.length).toBeGreaterThan(0);
  expect(short.every((problem) => problem.includes("of 'model.safetensors', which has 100"))).toBe(true);
  expect(checkGraph(buildGraph(shape, weights, options).model, {})[0]).toMatch(/unknown file 'model.safetensors'/);
});
