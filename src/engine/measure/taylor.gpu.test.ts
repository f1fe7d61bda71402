/** @file Taylor importance against the float64 model, PyTorch's numbers, and its promises about memory, progress and cancel. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModelShape, modelRoles, scoredRoles } from '../../model/shape';
import { modelGradients } from '../../numerics/modelBackward';
import type { Progress } from '../../task';
import '../testing/allclose';
import { Engine, type Taylor } from '../engine';
import type { GpuContext } from '../gpu/device';
import type { VocabularyRole } from '../pass/vocabularyBackward';
import { longTier, sharedTestDevice } from '../testing/harness';
import { block, noAttention, randomModel, readModel, type TestModel, tinyShape, yarn } from '../testing/testWeights';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

const tiny = tinyShape([
  block(0),
  block(1, { heads: 2, kvHeads: 1, headDim: 12, ffn: 21 }),
  block(2, { ffn: 0, rope: { theta: 500, scaling: yarn } }),
  block(3, noAttention),
  block(4, { ...noAttention, ffn: 0 }),
]);
const biases = ['qBias', 'kBias', 'vBias'] as const;
const mlpBiases = ['gateBias', 'upBias', 'downBias'] as const;
/** Of each further feature some, in odd sizes, and all of them at once. */
const features: ModelShape = {
  ...tiny,
  layers: [
    block(0, { window: 3, biases: [...biases, ...mlpBiases] }),
    block(1, { heads: 2, kvHeads: 1, headDim: 8, ffn: 21, qkNorm: 'head', window: 1 }),
    block(2, { ffn: 0, qkNorm: 'head', biases: [...biases, 'oBias'], rope: { theta: 500, scaling: yarn } }),
    block(3, { ...noAttention, biases: ['gateBias', 'downBias'] }),
    block(4, { biases: ['vBias', 'upBias', 'qBias'], window: 5 }),
    block(5, { heads: 3, kvHeads: 3, headDim: 6, biases: [...biases, 'oBias'], window: 400 }),
  ],
};
/** What Gemma and OLMo 2 add: of each some, in odd sizes, beside layers without. */
const gemmas: ModelShape = {
  ...tiny,
  layers: [
    block(0, { activation: 'gelu_tanh', normPlacement: 'both', qkNorm: 'head', attnScale: 0.2, window: 3 }),
    block(1, { heads: 2, kvHeads: 1, ffn: 21, normPlacement: 'post', qkNorm: 'all', biases: mlpBiases }),
    block(2, {
      ffn: 0,
      normPlacement: 'both',
      scoreSoftcap: 2,
      biases: ['oBias'],
      rope: { theta: 500, scaling: yarn },
    }),
    block(3, { ...noAttention, normPlacement: 'post', activation: 'gelu_tanh' }),
    block(4, { activation: 'gelu_tanh', normPlacement: 'both', scoreSoftcap: 2, window: 4, biases: ['downBias'] }),
    block(5, { heads: 3, kvHeads: 3, headDim: 6, normPlacement: 'post', qkNorm: 'all', biases: ['oBias', 'qBias'] }),
  ],
  normOffset: 1,
  embedScale: 5.5,
  logitSoftcap: 4,
};
const odd: ModelShape = { ...tiny, hidden: 33, tiedHead: false, layers: [block(0, { headDim: 6 }), block(1)] };

const even = [
  [1, 5, 9, 13, 17, 21, 25, 29, 33],
  [66, 0, 2, 4, 3, 3, 3, 2, 1],
];
/** So different in length that they make several batches, between which gradients are carried. */
const ragged = [...even, [40, 41, 42, 43, 44], [8, 9], [7]];

/** What the float64 model says, by layer and role. */
function expected({ shape, reference }: TestModel, sequences: number[][]): Taylor['layers'][number]['roles'][] {
  const gradients = modelGradients(shape, reference, sequences);
  return shape.layers.map((layer) =>
    Object.fromEntries(
      scoredRoles(layer).map((role) => {
        const gradient = gradients.layers[layer.source]![role]!;
        const weight = reference.layers[layer.source]![role]!;
        return [role, gradient.reduce((sum, value, i) => sum + Math.abs(value * weight[i]!), 0)];
      }),
    ),
  );
}

function expectRoles(layers: Taylor['layers'], roles: Taylor['layers'][number]['roles'][], rtol: number): void {
  layers.forEach((layer, index) => {
    expect(Object.keys(layer.roles)).toEqual(Object.keys(roles[index]!));
    expect(Object.values(layer.roles)).toBeAllclose(Object.values(roles[index]!), { rtol, atol: 1e-7 });
    expect(layer.total).toBeCloseTo(layer.attention + layer.mlp, 12);
  });
}

/** Together they have every feature of a layer. The kernels' own tests have every type; each costs seconds of compiling here. */
const some = [
  ['F32, windows, biases, norms of heads', features, 'F32'],
  ['F32, odd width, own head', odd, 'F32'],
  ['F16, what Gemma and OLMo 2 add', gemmas, 'F16'],
] as const;
const more = [
  ['BF16, odd width, own head', odd, 'BF16'],
  ['F32, tied head', tiny, 'F32'],
  ['F16, tied head', tiny, 'F16'],
  ['F16, windows, biases, norms of heads', features, 'F16'],
] as const;
describe.each(longTier ? [...some, ...more] : some)('%s', (_, shape, dtype) => {
  const model = randomModel(shape, dtype);
  let engine: Engine;
  beforeAll(async () => {
    // Parts of 24 vocabulary rows, and stretches of 8 for the widest batch.
    engine = await Engine.create(context, model, { vocabPartBytes: 24 * shape.hidden * 4, logitBytes: 1024 });
  });
  afterAll(() => engine.dispose());

  test('one batch', async () => {
    expectRoles((await engine.taylor(even)).layers, expected(model, even), 1e-4);
  });

  test('several batches: gradients are summed before their absolute value is taken', async () => {
    expectRoles((await engine.taylor(ragged)).layers, expected(model, ragged), 1e-4);
  });

  test.each([
    ['one batch', even],
    ['several batches', ragged],
  ])('embedding and head, %s: stretches are summed over batches and over both uses of a tied table', async (_, on) => {
    const { vocabulary, layers } = await engine.taylor(on, { vocabulary: true });
    const gradients = modelGradients(shape, model.reference, on);
    const roles = modelRoles(shape).filter((role) => role !== 'finalNorm');
    expect(Object.keys(vocabulary)).toEqual(roles);
    for (const role of roles) {
      const gradient = gradients[role]!;
      const weight = model.reference[role]!;
      const salience = gradient.reduce((sum, value, i) => sum + Math.abs(value * weight[i]!), 0);
      const { salience: ours, gradientNorm } = vocabulary[role]!;
      expect([ours, gradientNorm]).toBeAllclose([salience, Math.hypot(...gradient)], { rtol: 1e-4, atol: 0 });
    }
    expectRoles(layers, expected(model, on), 1e-4);
  });

  test('embedding and head are left alone unless asked for', async () => {
    expect((await engine.taylor(even)).vocabulary).toEqual({});
  });

  test('activations kept, for all blocks and for some, change nothing', async () => {
    const { layers } = await engine.taylor(ragged);
    for (const keepBytes of [2 ** 15, 2 ** 30]) {
      const kept = await engine.taylor(ragged, { keepBytes });
      kept.layers.forEach((layer, index) => {
        expect(Object.values(layer.roles)).toBeAllclose(Object.values(layers[index]!.roles), { rtol: 1e-5 });
      });
    }
  });
});

interface Golden {
  calibration_token_ids: number[][];
  taylor: number[];
  grad_norm: Record<string, number>;
}

async function compareGolden(folder: string, golden: Golden, rtol: number): Promise<void> {
  const model = readModel(folder);
  const engine = await Engine.create(context, model);
  const { layers, finalNormGradient, vocabulary } = await engine.taylor(golden.calibration_token_ids, {
    vocabulary: true,
  });
  engine.dispose();
  expect(layers.map(({ total }) => total)).toBeAllclose(golden.taylor, { rtol, atol: 0 });
  const norms = { [model.weights.modelTensor('finalNorm').name]: finalNormGradient };
  for (const [role, { gradientNorm }] of Object.entries(vocabulary)) {
    norms[model.weights.modelTensor(role as VocabularyRole).name] = gradientNorm;
  }
  model.shape.layers.forEach((layer, index) => {
    for (const role of scoredRoles(layer)) {
      norms[model.weights.layerTensor(role, layer.source).name] = layers[index]!.gradientNorms[role]!;
    }
  });
  // Taylor scores no biases; their effect is in the other gradients.
  const names = Object.keys(golden.grad_norm).filter((name) => !name.endsWith('.bias'));
  expect(Object.keys(norms).sort()).toEqual([...names].sort());
  expect(names.map((name) => norms[name]!)).toBeAllclose(
    names.map((name) => golden.grad_norm[name]!),
    { rtol, atol: 0 },
  );
}

const read = (path: string): Golden => JSON.parse(readFileSync(path, 'utf8')) as Golden;
const fixtures = fileURLToPath(new URL('../../../tools/golden/fixtures/', import.meta.url));
/** The float64 model, which the tests above compare with, has PyTorch's gradients of every family (gradients.test.ts). */
const families = ['tiny-a'];
const others = [
  ...['tiny-llama3', 'tiny-qwen3', 'tiny-olmo2', 'tiny-biases', 'tiny-b', 'tiny-c'],
  ...['tiny-mistral', 'tiny-qwen2', 'tiny-gemma', 'tiny-gemma2', 'tiny-gemma3'],
];
test.each(longTier ? [...families, ...others] : families)('%s: scores and gradient norms of PyTorch', async (name) => {
  await compareGolden(fixtures + name, read(`${fixtures}${name}/golden.json`), 1e-4);
});

const shared = '../shared/golden/stories260K.json';
describe.skipIf(!existsSync(shared))('skipped when ../shared is not beside the project', () => {
  const sharded = ['stories260K-f16-sharded', 2e-3] as const;
  test.each([['stories260K', 1e-4] as const, ...(longTier ? [sharded] : [])])(
    '%s: scores and gradient norms of PyTorch',
    async (name, rtol) => {
      await compareGolden(`../shared/models/${name}`, read(shared), rtol);
    },
  );
});

test('beyond weights and block inputs, the peak does not grow with depth', async () => {
  const sequences = Array.from({ length: 4 }, (_, sequence) =>
    Array.from({ length: 16 }, (_, i) => (sequence + 3 * i) % 67),
  );
  const beyond: number[] = [];
  for (const depth of [4, 8, 16]) {
    const shape = { ...tiny, layers: Array.from({ length: depth }, (_, source) => block(source)) };
    const engine = await Engine.create(context, randomModel(shape, 'F16'));
    const weights = engine.memory().liveBytes;
    engine.memory().resetPeak();
    await engine.taylor(sequences);
    beyond.push(engine.memory().peakBytes - weights - depth * 4 * 16 * 32 * 4);
    engine.dispose();
  }
  expect(beyond[1]).toBe(beyond[0]);
  expect(beyond[2]).toBe(beyond[0]);
  expect(beyond[0]).toBeGreaterThan(0);
});

describe('as a task', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.create(context, randomModel(tiny, 'F16'));
  });
  afterAll(() => engine.dispose());

  test('its progress begins at 0, never falls and ends at its total', async () => {
    const seen: Progress[] = [];
    await engine.taylor(ragged, { onProgress: (progress) => seen.push(progress) });
    expect(seen[0]).toEqual({ stage: 'taylor', done: 0, total: tiny.layers.length, unit: 'blocks' });
    seen.slice(1).forEach(({ done }, index) => {
      expect(done).toBeGreaterThanOrEqual(seen[index]!.done);
    });
    expect(seen.at(-1)!.done).toBe(tiny.layers.length);
  });

  test('it gives its memory back, and cancels', async () => {
    await engine.taylor(even);
    const { liveBytes } = engine.memory();
    const controller = new AbortController();
    const onProgress = ({ done }: Progress): void => {
      if (done > 0) controller.abort();
    };
    await expect(engine.taylor(ragged, { signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(engine.memory().liveBytes).toBe(liveBytes);
    await expect(engine.taylor(even)).resolves.toMatchObject({ layers: { length: tiny.layers.length } });
  });

  test('it refuses windows that predict nothing', async () => {
    await expect(engine.taylor([[1]])).rejects.toMatchObject({ code: 'bad-argument' });
  });
});
