/**
 * @file Width statistics and saliences of channels over ragged batches, and as part of a survey. PyTorch judges the scores
 * that they give: src/importance/width/golden.gpu.test.ts.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LayerRole } from '../../model/shape';
import { modelGradients } from '../../numerics/modelBackward';
import { mergeMoments, noMoments } from '../../numerics/moments';
import '../testing/allclose';
import { Engine, type WidthStatistics } from '../engine';
import type { GpuContext } from '../gpu/device';
import { Backward } from '../pass/backward';
import { Forward } from '../pass/forward';
import { Tapes } from '../pass/tape';
import { sharedTestDevice } from '../testing/harness';
import { block, noAttention, randomModel, tinyShape } from '../testing/testWeights';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

const halves = ['attention', 'mlp'] as const;

const shape = tinyShape([
  block(0),
  block(1, noAttention),
  block(2, { ffn: 0, biases: ['oBias'] }),
  block(3, { ...noAttention, ffn: 0 }),
  block(4, { biases: ['gateBias', 'upBias', 'downBias'] }),
]);
/** Several batches, the first of them with padding. */
const sequences = [[1, 5, 9, 13, 17, 21, 25, 29, 33], [66, 0, 2, 4, 3, 3, 3], [40, 41, 42, 43, 44], [8, 9], [7]];
const model = randomModel(shape, 'F16');

function expectAlike(found: WidthStatistics, expected: WidthStatistics): void {
  expect([found.samples, found.tokens]).toEqual([expected.samples, expected.tokens]);
  found.layers.forEach((layer, index) => {
    for (const half of halves) {
      const [ours, theirs] = [layer[half], expected.layers[index]![half]];
      expect(ours === null).toBe(theirs === null);
      if (ours === null || theirs === null) continue;
      expect(ours.mean).toBeAllclose(theirs.mean, { rtol: 1e-4, atol: 1e-6 });
      expect(ours.deviations).toBeAllclose(theirs.deviations, { rtol: 1e-4, atol: 1e-6 });
      expect(ours.columns).toEqual(theirs.columns);
    }
  });
}

describe('windows of different lengths', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.create(context, model);
  });
  afterAll(() => engine.dispose());

  test('padding does not count: the statistics are those of the windows one by one', async () => {
    const found = await engine.widthStatistics(sequences);
    const each = await Promise.all(sequences.map((sequence) => engine.widthStatistics([sequence])));
    const merged = found.layers.map((layer, index) => {
      const of = (half: (typeof halves)[number]) => {
        if (layer[half] === null) return null;
        const moments = noMoments(layer[half].mean.length);
        for (const one of each) {
          const { mean, deviations } = one.layers[index]![half]!;
          const pairs = [...mean].flatMap((value, j) => [value, deviations[j]!]);
          mergeMoments(moments, one.tokens, pairs);
        }
        return { mean: moments.mean, deviations: moments.deviations, columns: layer[half].columns };
      };
      return { attention: of('attention'), mlp: of('mlp') };
    });
    expectAlike(found, { samples: 5, tokens: 24, layers: merged });
    expect(found.layers.map((layer) => halves.map((half) => layer[half]?.mean.length ?? null))).toEqual([
      [32, 44],
      [null, 44],
      [32, null],
      [null, null],
      [32, 44],
    ]);
  });

  test('the official recurrence of FLAP goes through the windows in their order', async () => {
    const found = await engine.widthStatistics(sequences, { recurrence: true });
    const each: WidthStatistics[] = [];
    for (const sequence of sequences) each.push(await engine.widthStatistics([sequence]));
    found.layers.forEach((layer, index) => {
      for (const half of halves) {
        if (layer[half] === null) continue;
        // v_k = v_(k−1) · (k − 2) / (k − 1) + S_k / k, with S_k around the mean of the first k samples' means.
        const channels = layer[half].mean.length;
        const [mean, v] = [new Float64Array(channels), new Float64Array(channels)];
        each.forEach((one, sample) => {
          const k = sample + 1;
          const own = one.layers[index]![half]!;
          for (let j = 0; j < channels; j++) {
            mean[j] = (mean[j]! * (k - 1) + own.mean[j]!) / k;
            const sum = own.deviations[j]! + one.tokens * (own.mean[j]! - mean[j]!) ** 2;
            v[j] = k === 1 ? 0 : (v[j]! * (k - 2)) / (k - 1) + sum / k;
          }
        });
        const expected = v.map((value) => value * (each.length - 1));
        expect(layer[half].recurrent!).toBeAllclose(expected, { rtol: 1e-4, atol: 1e-6 });
        expect(layer[half].recurrent!).not.toBeAllclose(layer[half].deviations, { rtol: 0.05, atol: 0 });
      }
    });
    const plain = await engine.widthStatistics(sequences);
    expectAlike(found, plain);
    expect(plain.layers[0]!.mlp!.recurrent).toBeUndefined();
  });

  test.each([
    ['recomputing', 0],
    ['keeping some activations', 2 ** 15],
    ['keeping all', 2 ** 30],
  ])('a survey, %s, has the statistics and the saliences of channels for no more passes', async (_, keepBytes) => {
    const spies = [
      vi.spyOn(Forward.prototype, 'block'),
      vi.spyOn(Tapes.prototype, 'record'),
      vi.spyOn(Backward.prototype, 'block'),
    ];
    const counts = () => spies.map((spy) => spy.mock.calls.length);
    const plain = await engine.combinedPass(sequences, { keepBytes });
    const before = counts();
    const { taylor, width, ...rest } = await engine.combinedPass(sequences, { keepBytes, width: true });
    expect(counts()).toEqual(before.map((count) => 2 * count));
    vi.restoreAllMocks();
    expectAlike(width!, await engine.widthStatistics(sequences));
    expect(plain.width).toBeUndefined();
    expect(rest.magnitudes).toEqual(plain.magnitudes);
    taylor.layers.forEach((layer, index) => {
      const expected = plain.taylor.layers[index]!;
      expect(expected.channels).toBeUndefined();
      expect(Object.values(layer.roles)).toBeAllclose(Object.values(expected.roles), { rtol: 1e-5 });
      expect(Object.values(layer.gradientNorms)).toBeAllclose(Object.values(expected.gradientNorms), { rtol: 1e-5 });
    });
  });
});

test.each([
  ['one batch', sequences.slice(0, 2), 'F16', 32],
  ['several batches, between which gradients are carried', sequences, 'F16', 32],
  ['several batches, an odd width', sequences, 'BF16', 33],
] as const)('saliences of channels are those of the float64 model: %s', async (_, on, dtype, hidden) => {
  const { shape: own, reference, weights } = randomModel({ ...shape, hidden }, dtype);
  const engine = await Engine.create(context, { shape: own, weights });
  const { layers } = await engine.taylor(
    on.map((sequence) => [...sequence]),
    { channels: true },
  );
  engine.dispose();
  const gradients = modelGradients(
    own,
    reference,
    on.map((sequence) => [...sequence]),
  );
  own.layers.forEach(({ source, heads, ffn }, index) => {
    const { channels = {}, roles } = layers[index]!;
    const projections: LayerRole[] = [
      ...(heads > 0 ? (['qProj', 'kProj', 'vProj', 'oProj'] as const) : []),
      ...(ffn > 0 ? (['gateProj', 'upProj', 'downProj'] as const) : []),
    ];
    expect(Object.keys(channels).sort()).toEqual([...projections].sort());
    for (const role of projections) {
      const found = channels[role]!;
      const weight = reference.layers[source]![role as 'qProj']!;
      const gradient = gradients.layers[source]![role as 'qProj']!;
      const byColumn = role === 'oProj' || role === 'downProj';
      const inner = byColumn ? found.length : weight.length / found.length;
      const expected = new Float64Array(found.length);
      for (let i = 0; i < weight.length; i++) {
        expected[byColumn ? i % inner : Math.floor(i / inner)]! += Math.abs(weight[i]! * gradient[i]!);
      }
      expect(found).toBeAllclose(expected, { rtol: 2e-4, atol: 1e-7 });
      expect([found.reduce((a, b) => a + b, 0)]).toBeAllclose([roles[role]!], { rtol: 1e-5 });
    }
  });
});

test('the peak does not grow with depth, and all memory is given back', async () => {
  const long = Array.from({ length: 4 }, (_, sequence) =>
    Array.from({ length: 16 }, (_, i) => (sequence + 3 * i) % 67),
  );
  const beyond: number[] = [];
  for (const depth of [4, 8, 16]) {
    const layers = Array.from({ length: depth }, (_, source) => block(source));
    const engine = await Engine.create(context, randomModel({ ...shape, layers }, 'F16'));
    const weights = engine.memory().liveBytes;
    await engine.widthStatistics(long);
    beyond.push(engine.memory().peakBytes - weights);
    const { liveBytes } = engine.memory();
    await engine.widthStatistics(long);
    expect(engine.memory().liveBytes).toBe(liveBytes);
    engine.dispose();
  }
  expect(beyond).toEqual([beyond[0], beyond[0], beyond[0]]);
  expect(beyond[0]).toBeGreaterThan(0);
});

test('as a task: progress to its end, and cancel', async () => {
  const engine = await Engine.create(context, model);
  const seen: number[] = [];
  await engine.widthStatistics(sequences, { onProgress: ({ done }) => seen.push(done) });
  expect(seen.at(-1)).toBe(24);
  const { liveBytes } = engine.memory();
  const controller = new AbortController();
  const stopped = engine.combinedPass(sequences, {
    width: true,
    signal: controller.signal,
    onProgress: ({ done }) => done > 0 && controller.abort(),
  });
  await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  expect(engine.memory().liveBytes).toBe(liveBytes);
  engine.dispose();
});
