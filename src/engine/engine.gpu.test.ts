/** @file The whole engine against the float64 model: random tiny models with everything that a shape may have. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LabError } from '../errors';
import { type LayerShape, type ModelShape, scoredRoles } from '../model/shape';
import type { DepthUnit } from '../model/unit';
import { cosineRows } from '../numerics/cosine';
import { hiddenStates, modelLogits, modelNll, subBlockStates } from '../numerics/model';
import type { Progress } from '../task';
import './testing/allclose';
import { Engine } from './engine';
import type { GpuContext } from './gpu/device';
import { longTier, openTestDevice, sharedTestDevice } from './testing/harness';
import { block, noAttention, randomModel, tinyShape, yarn } from './testing/testWeights';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

// Layers of one model may differ, and a sub-block may be absent from the checkpoint itself.
const tiny = tinyShape([
  block(0),
  block(1, { heads: 2, kvHeads: 1, headDim: 12, ffn: 21 }),
  block(2, { ffn: 0, rope: { theta: 500, scaling: yarn } }),
  block(3),
  block(4, noAttention),
]);
const biases = ['qBias', 'kBias', 'vBias'] as const;
const mlpBiases = ['gateBias', 'upBias', 'downBias'] as const;
/** Of each further feature some, in odd sizes, and all of them at once. */
const features: ModelShape = {
  ...tiny,
  layers: [
    block(0, { window: 3, biases }),
    block(1, { heads: 2, kvHeads: 1, headDim: 12, ffn: 21, qkNorm: 'head', window: 1, biases: mlpBiases }),
    block(2, { ffn: 0, qkNorm: 'head', biases: [...biases, 'oBias'], rope: { theta: 500, scaling: yarn } }),
    block(3, { biases: ['vBias', 'upBias', 'qBias'], window: 5 }),
    block(4, { heads: 3, kvHeads: 3, headDim: 6, biases: [...biases, 'oBias', 'gateBias', 'downBias'], window: 400 }),
  ],
};
/** What Gemma and OLMo 2 add: of each some, in odd sizes, beside layers without. */
const gemmas: ModelShape = {
  ...tiny,
  layers: [
    block(0, {
      ...{ activation: 'gelu_tanh', normPlacement: 'both', qkNorm: 'head', attnScale: 0.2, window: 3 },
      biases: ['downBias'],
    }),
    block(1, { heads: 2, kvHeads: 1, headDim: 12, ffn: 21, normPlacement: 'post', qkNorm: 'all', biases: mlpBiases }),
    block(2, {
      ffn: 0,
      normPlacement: 'both',
      scoreSoftcap: 2,
      biases: ['oBias'],
      rope: { theta: 500, scaling: yarn },
    }),
    block(3, { activation: 'gelu_tanh', scoreSoftcap: 1.5, window: 4 }),
    block(4, { heads: 3, kvHeads: 3, headDim: 6, normPlacement: 'post', qkNorm: 'all', biases: ['oBias', 'qBias'] }),
  ],
  normOffset: 1,
  embedScale: 5.5,
  logitSoftcap: 4,
};
const odd: ModelShape = { ...tiny, hidden: 33, tiedHead: false, layers: [block(0, { headDim: 6 }), block(1)] };

const sequences = [
  [1, 5, 9, 13, 17, 21, 25, 29, 33],
  [66, 0, 2, 4, 3],
  [7],
  [8, 8, 8, 9, 10, 11, 12, 60, 61],
  [40, 41, 42, 43, 44, 45, 46, 47],
];

/** Together they have every type and every feature of a layer; the others combine them differently. */
const some = [
  ['F32, tied head', tiny, 'F32'],
  ['F16, odd width, own head', odd, 'F16'],
  ['BF16, windows, biases, norms of heads', features, 'BF16'],
  ['F16, what Gemma and OLMo 2 add', gemmas, 'F16'],
] as const;
const more = [
  ['F16, tied head', tiny, 'F16'],
  ['BF16, own head', { ...tiny, tiedHead: false }, 'BF16'],
] as const;
describe.each(longTier ? [...some, ...more] : some)('%s', (_, shape, dtype) => {
  const model = randomModel(shape, dtype);
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.create(context, model, { vocabPartBytes: 24 * shape.hidden * 4 });
  });
  afterAll(() => engine.dispose());

  test('hidden states at every boundary', async () => {
    const states = hiddenStates(shape, model.reference, sequences[0]!);
    for (const [boundary, state] of states.entries()) {
      expect(await engine.hidden(shape.layers, sequences[0]!, boundary)).toBeAllclose(state, {
        rtol: 1e-4,
        atol: 2e-5,
      });
    }
  });

  test('logits of all rows and of the last', async () => {
    const expected = modelLogits(shape, model.reference, sequences[0]!);
    const all = await engine.logits(shape.layers, sequences[0]!, 'all');
    expect(all).toBeAllclose(expected, { rtol: 1e-4, atol: 5e-5 });
    const last = await engine.logits(shape.layers, sequences[0]!, 'last');
    expect(last).toBeAllclose(expected.slice(-shape.vocab), { rtol: 1e-4, atol: 5e-5 });
  });

  test('losses of windows of all lengths, under any list of layers', async () => {
    const lists: LayerShape[][] = [
      [...shape.layers],
      [],
      [shape.layers[1]!, shape.layers[0]!, shape.layers[1]!],
      [
        { ...shape.layers[0]!, ffn: 0 },
        { ...shape.layers[1]!, ...noAttention },
      ],
    ];
    for (const layers of lists) {
      const { sumNll, tokens } = await engine.score(layers, sequences);
      const expected = sequences.map((sequence) =>
        modelNll({ ...shape, layers }, model.reference, sequence).reduce((a, b) => a + b, 0),
      );
      expect(sumNll).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-5 });
      expect(tokens).toBe(8 + 4 + 0 + 8 + 7);
    }
  });

  test('block statistics', async () => {
    const { influence, lastTokens } = await engine.blockStatistics(sequences);
    const states = sequences.map((sequence) => hiddenStates(shape, model.reference, sequence));
    sequences.forEach((sequence, index) => {
      expect(lastTokens[index]).toHaveLength(shape.layers.length + 1);
      lastTokens[index]!.forEach((row, boundary) => {
        const expected = states[index]![boundary]!.slice((sequence.length - 1) * shape.hidden);
        expect(row).toBeAllclose(expected, { rtol: 1e-4, atol: 2e-5 });
      });
    });
    const expected = shape.layers.map((_, layer) => {
      const cosines = states.flatMap((state) => [...cosineRows(state[layer]!, state[layer + 1]!, shape.hidden)]);
      return 1 - cosines.reduce((a, b) => a + b, 0) / cosines.length;
    });
    expect(influence).toBeAllclose(expected, { rtol: 1e-4, atol: 1e-6 });
  });

  test('influence of attentions and MLPs', async () => {
    const states = sequences.map((sequence) => subBlockStates(shape, model.reference, sequence));
    const turn = (half: number): number => {
      const cosines = states.flatMap((state) => [...cosineRows(state[half]!, state[half + 1]!, shape.hidden)]);
      return 1 - cosines.reduce((a, b) => a + b, 0) / cosines.length;
    };
    const found = await engine.subBlockInfluence(sequences);
    const of = (part: 0 | 1) => shape.layers.map((_, layer) => turn(2 * layer + part));
    expect(found.attention).toBeAllclose(of(0), { rtol: 1e-4, atol: 1e-6 });
    expect(found.mlp).toBeAllclose(of(1), { rtol: 1e-4, atol: 1e-6 });
  });

  test('magnitudes', async () => {
    const expected = shape.layers.map((layer) =>
      scoredRoles(layer)
        .flatMap((role) => [...model.reference.layers[layer.source]![role]!])
        .reduce((sum, value) => sum + Math.abs(value), 0),
    );
    expect(await engine.magnitudes()).toBeAllclose(expected, { rtol: 1e-6 });
  });
});

const swept = [
  [' of what Gemma and OLMo 2 add', gemmas],
  ['', tiny],
  [' of windows, biases and norms of heads', features],
] as const;
describe.each(longTier ? swept : swept.slice(0, 1))('removal sweep%s', (_, shape) => {
  const model = randomModel(shape, 'F16');
  const without = ({ layer, kind }: DepthUnit): LayerShape[] =>
    shape.layers.flatMap((own, index) => {
      if (index !== layer) return [own];
      if (kind === 'block') return [];
      return [kind === 'attention' ? { ...own, ...noAttention } : { ...own, ffn: 0 }];
    });
  // Out of order, one twice, and some of sub-blocks that are not there.
  const removals: DepthUnit[] = [
    { layer: 3, kind: 'mlp' },
    { layer: 0, kind: 'block' },
    ...shape.layers.flatMap((_own, layer) => (['block', 'attention', 'mlp'] as const).map((kind) => ({ layer, kind }))),
  ];
  const row = 32 * 4;

  test.each([
    ['in one round', 2 ** 20],
    ['in rounds of few windows', 40 * 16 * row],
    ['one window and few removals at a time', 30 * row],
  ])('%s, equals separate passes', async (_rounds, sweepBytes) => {
    const engine = await Engine.create(context, model, { sweepBytes });
    const swept = await engine.removalSweep(sequences, removals);
    const separate: number[] = [];
    for (const removal of removals) {
      const { sumNll, tokens } = await engine.score(without(removal), sequences);
      separate.push(sumNll.reduce((a, b) => a + b, 0) / tokens);
    }
    expect(swept).toBeAllclose(separate, { rtol: 1e-6, atol: 1e-6 });
    engine.dispose();
  });

  test('refuses a layer that is not there and windows that predict nothing', async () => {
    const engine = await Engine.create(context, model);
    await expect(engine.removalSweep(sequences, [{ layer: 5, kind: 'mlp' }])).rejects.toMatchObject({
      code: 'bad-argument',
      message: 'removal: expected a layer in [0, 5), got 5.',
    });
    await expect(engine.removalSweep([[1]], removals)).rejects.toMatchObject({ code: 'bad-argument' });
    engine.dispose();
  });
});

describe('a life', () => {
  test('tensors of different types share a buffer as float32', async () => {
    const mixed = randomModel(tiny, (role) => (role === 'kProj' || role === 'upProj' ? 'BF16' : 'F16'));
    const engine = await Engine.create(context, mixed);
    const logits = await engine.logits(tiny.layers, sequences[0]!, 'all');
    expect(logits).toBeAllclose(modelLogits(tiny, mixed.reference, sequences[0]!), { rtol: 1e-4, atol: 5e-5 });
    engine.dispose();
  });

  test('between tasks only weights live; dispose frees all, and a second time does nothing', async () => {
    const engine = await Engine.create(context, randomModel(tiny, 'F16'));
    const { liveBytes } = engine.memory();
    await engine.score(tiny.layers, sequences);
    const ropeTables = 3 * 128 * 4 * 12; // of two head sizes, one of them turned in two ways, at most
    expect(engine.memory().liveBytes - liveBytes).toBeLessThanOrEqual(ropeTables);
    expect(engine.memory().peakBytes).toBeGreaterThan(engine.memory().liveBytes);
    engine.memory().resetPeak();
    expect(engine.memory().peakBytes).toBe(engine.memory().liveBytes);
    engine.dispose();
    engine.dispose();
    expect(engine.memory().liveBytes).toBe(0);
    await expect(engine.magnitudes()).rejects.toMatchObject({ code: 'not-loaded' });
  });

  test('concurrent calls queue, and one that fails does not harm the next', async () => {
    const model = randomModel(tiny, 'F32');
    const engine = await Engine.create(context, model);
    const results = await Promise.allSettled([
      engine.score(tiny.layers, sequences),
      engine.score(tiny.layers, [[67]]),
      engine.logits(tiny.layers, [1, 2, 3], 'last'),
      engine.score([block(0, { heads: 3 })], sequences),
      engine.score(tiny.layers, sequences),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(results[1]).toMatchObject({ reason: { code: 'bad-argument' } });
    expect(results[3]).toMatchObject({ reason: { code: 'bad-argument', message: expect.stringContaining('block 0') } });
    expect(results[4]).toEqual(results[0]);
    engine.dispose();
  });

  test('a short question is answered while an analysis is at work', async () => {
    const engine = await Engine.create(context, randomModel(tiny, 'F16'));
    const removals = tiny.layers.map((_, layer): DepthUnit => ({ layer, kind: 'block' }));
    const many = Array.from({ length: 60 }, () => sequences[0]!);
    const alone = await engine.score(tiny.layers, sequences);
    const answered: string[] = [];
    const analysis = engine.removalSweep(many, removals).then((losses) => {
      answered.push('analysis');
      return losses;
    });
    const beside = await engine.score(tiny.layers, sequences);
    answered.push('question');
    expect(beside).toEqual(alone);
    // Sharing the GPU changes no number of the analysis either.
    const [first] = await engine.removalSweep([sequences[0]!], removals);
    expect((await analysis)[0]).toBeCloseTo(first!, 6);
    expect(answered).toEqual(['question', 'analysis']);
    engine.dispose();
  });

  test('overlapping windows score only what is new', async () => {
    const engine = await Engine.create(context, randomModel(tiny, 'F16'));
    const pair = [sequences[0]!, sequences[3]!];
    const whole = await engine.score(tiny.layers, pair);
    const begin = await engine.score(tiny.layers, [pair[0]!.slice(0, 4), pair[1]!.slice(0, 2)]);
    const rest = await engine.score(tiny.layers, pair, { firstTargets: [4, 2] });
    expect(rest.tokens).toBe(whole.tokens - begin.tokens);
    for (const [sequence, sum] of rest.sumNll.entries()) {
      expect(sum).toBeCloseTo(whole.sumNll[sequence]! - begin.sumNll[sequence]!, 4);
    }
    await expect(engine.score(tiny.layers, pair, { firstTargets: [0, 1] })).rejects.toThrow(/firstTargets\[0\]/);
    engine.dispose();
  });

  test('a question that is cancelled while it waits for its turn rejects at once; the one in front goes on', async () => {
    const engine = await Engine.create(context, randomModel(tiny, 'F16'));
    const sequences = [[1, 2, 3, 4, 5, 6]];
    const expected = await engine.score(tiny.layers, sequences);
    const controller = new AbortController();
    const settled: string[] = [];
    const front = engine.score(tiny.layers, sequences).finally(() => settled.push('front'));
    const waiting = engine.score(tiny.layers, sequences, { signal: controller.signal });
    const next = engine.score(tiny.layers, sequences);
    controller.abort();
    await expect(waiting.finally(() => settled.push('waiting'))).rejects.toMatchObject({ code: 'aborted' });
    expect((await front).sumNll).toEqual(expected.sumNll);
    expect((await next).sumNll).toEqual(expected.sumNll);
    expect(settled).toEqual(['waiting', 'front']);
    engine.dispose();
  });

  test('a task cancels, also while it works, and the engine goes on', async () => {
    const engine = await Engine.create(context, randomModel(tiny, 'F16'));
    const many = Array.from({ length: 100 }, () => Array.from({ length: 64 }, (_, i) => i));
    await expect(engine.score(tiny.layers, many, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    const controller = new AbortController();
    let fired = 0;
    const task = engine.removalSweep(
      many,
      tiny.layers.map((_, layer) => ({ layer, kind: 'block' as const })),
      {
        signal: controller.signal,
        onProgress: ({ done }) => {
          if (done > 0 && fired === 0) {
            fired = done;
            controller.abort();
          }
        },
      },
    );
    await expect(task).rejects.toMatchObject({ code: 'aborted' });
    expect(fired).toBeGreaterThan(0);
    await expect(engine.score(tiny.layers, sequences)).resolves.toMatchObject({ tokens: 27 });
    engine.dispose();
  });

  test('progress begins at 0, never falls and ends at its total', async () => {
    const engine = await Engine.create(context, randomModel(tiny, 'F16'));
    const run = async (task: (onProgress: (progress: Progress) => void) => Promise<unknown>): Promise<Progress[]> => {
      const seen: Progress[] = [];
      await task((progress) => seen.push(progress));
      return seen;
    };
    const removals = tiny.layers.map((_, layer) => ({ layer, kind: 'mlp' as const }));
    const all = [
      await run((onProgress) => engine.score(tiny.layers, sequences, { onProgress })),
      await run((onProgress) => engine.removalSweep(sequences, removals, { onProgress })),
      await run((onProgress) => engine.blockStatistics(sequences, { onProgress })),
      await run((onProgress) => engine.subBlockInfluence(sequences, { onProgress })),
      await run((onProgress) => engine.magnitudes({ onProgress })),
    ];
    const stages = ['score', 'sweep', 'statistics', 'statistics', 'magnitude'];
    expect(all.map((seen) => seen[0]?.stage)).toEqual(stages);
    for (const seen of all) {
      expect(seen[0]!.done).toBe(0);
      expect(seen.at(-1)!.done).toBe(seen.at(-1)!.total);
      seen.slice(1).forEach((progress, index) => {
        expect(progress.done).toBeGreaterThanOrEqual(seen[index]!.done);
      });
    }
    engine.dispose();
  });

  test('a layer that asks for other biases or norms than its block has is refused; another window is its own affair', async () => {
    const model = randomModel(features, 'F16');
    const engine = await Engine.create(context, model);
    const [first] = features.layers as [LayerShape];
    const { biases: _biases, ...unbiased } = first;
    for (const layer of [unbiased, { ...first, biases: ['qBias'] as const }, { ...first, qkNorm: 'head' as const }]) {
      await expect(engine.score([layer], sequences)).rejects.toMatchObject({
        code: 'bad-argument',
        message: expect.stringContaining('qBias, kBias, vBias, ffn 44, asked for'),
      });
    }
    for (const layer of [
      { ...first, biases: [...biases, 'downBias'] as const },
      { ...features.layers[3]!, biases: ['vBias', 'qBias'] as const },
    ]) {
      await expect(engine.score([layer], sequences)).rejects.toMatchObject({ code: 'bad-argument' });
    }
    const layers = [{ ...first, window: 2, biases: ['vBias', 'kBias', 'qBias'] as const }];
    const { sumNll } = await engine.score(layers, [sequences[0]!]);
    const expected = modelNll({ ...features, layers }, model.reference, sequences[0]!).reduce((a, b) => a + b, 0);
    expect(sumNll).toBeAllclose([expected], { rtol: 1e-5, atol: 1e-5 });
    engine.dispose();
  });

  test('a layer that asks for norms elsewhere than its block has them is refused; its activation is its own affair', async () => {
    const model = randomModel(gemmas, 'F16');
    const engine = await Engine.create(context, model);
    const [first] = gemmas.layers as [LayerShape];
    for (const change of [{ normPlacement: 'post' }, { normPlacement: 'post', ...noAttention }] as const) {
      await expect(engine.score([{ ...first, ...change }], sequences)).rejects.toMatchObject({
        code: 'bad-argument',
        message: expect.stringContaining('norms on outputs (both), asked for'),
      });
    }
    const { activation: _gelu, attnScale: _scale, ...plain } = first;
    const layers = [{ ...plain, scoreSoftcap: 1 }];
    const { sumNll } = await engine.score(layers, [sequences[0]!]);
    const expected = modelNll({ ...gemmas, layers }, model.reference, sequences[0]!).reduce((a, b) => a + b, 0);
    expect(sumNll).toBeAllclose([expected], { rtol: 1e-5, atol: 1e-5 });
    engine.dispose();
  });

  test('weights that do not fit the shape are named, and what was uploaded is freed', async () => {
    const model = randomModel(tiny, 'F32');
    const wrong = { ...tiny, layers: [block(0), block(1)] };
    const failure = await Engine.create(context, { shape: wrong, weights: model.weights }).catch(
      (thrown: unknown) => thrown,
    );
    expect(failure).toBeInstanceOf(LabError);
    expect(failure).toMatchObject({
      code: 'bad-weights',
      message: expect.stringMatching(/^qProj of block 1 .*expected \[32, 32\], got \[24, 32\]/),
    });
  });

  test('dispose ends a call that is at work', async () => {
    const engine = await Engine.create(context, randomModel(tiny, 'F16'));
    const many = Array.from({ length: 200 }, () => Array.from({ length: 64 }, (_, i) => i));
    const task = engine.score(tiny.layers, many, { onProgress: () => engine.dispose() });
    await expect(task).rejects.toMatchObject({ code: 'not-loaded' });
    expect(engine.memory().liveBytes).toBe(0);
  });

  test('a lost device ends the call with device-lost', async () => {
    const own = await openTestDevice();
    const engine = await Engine.create(own, randomModel(tiny, 'F16'));
    const many = Array.from({ length: 200 }, () => Array.from({ length: 64 }, (_, i) => i));
    const task = engine.score(tiny.layers, many);
    setTimeout(() => own.device.destroy(), 50);
    await expect(task).rejects.toMatchObject({ code: 'device-lost' });
    await expect(engine.score(tiny.layers, sequences)).rejects.toMatchObject({ code: 'device-lost' });
    engine.dispose();
  });
});
