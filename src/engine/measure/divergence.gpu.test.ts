/** @file Divergence of variants from the base, against float64; and what their shared walk saves. */

import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LayerShape, ModelShape } from '../../model/shape';
import { klDivergence } from '../../numerics/divergence';
import { hiddenStates } from '../../numerics/model';
import { rmsnorm } from '../../numerics/rmsnorm';
import type { TokenSequences } from '../../numerics/tokens';
import '../testing/allclose';
import { Engine, type EngineOptions } from '../engine';
import type { GpuContext } from '../gpu/device';
import { Forward } from '../pass/forward';
import { sharedTestDevice } from '../testing/harness';
import { block, noAttention, randomModel, type TestModel, tinyShape } from '../testing/testWeights';
import { BaseStates } from './baseStates';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const shape = tinyShape([
  block(0),
  block(1, { heads: 2, kvHeads: 1, headDim: 12, qkNorm: 'head' }),
  block(2, { ffn: 0, biases: ['qBias', 'kBias', 'vBias', 'oBias'] }),
  block(3, { window: 3, biases: ['gateBias', 'upBias', 'downBias'] }),
  block(4),
]);
const sequences = [[1, 5, 9, 13, 17, 21, 25, 29, 33], [66, 0, 2, 4, 3], [7], [8, 9], [40, 41, 42, 43, 44, 45, 46, 47]];
const [a, b, c, d, e] = shape.layers as [LayerShape, LayerShape, LayerShape, LayerShape, LayerShape];
const variants: LayerShape[][] = [
  [a, b, c, d],
  [...shape.layers],
  [b, c, d, e],
  [a, { ...b, ...noAttention }, c, { ...d, ffn: 0 }, e],
  [a, b, c, d],
  [a, b, { ...d, ...noAttention }, e],
  [e],
  [],
];

const model = randomModel(shape, 'F16');

/** Mean over the predicted tokens, in float64. */
function reference(
  layers: readonly LayerShape[],
  of: TokenSequences,
  { shape: base, reference: weights }: TestModel = model,
): number {
  const { hidden, normEps, normOffset, logitSoftcap } = base;
  const final = (list: readonly LayerShape[], sequence: readonly number[]) =>
    rmsnorm(hiddenStates({ ...base, layers: list }, weights, sequence).at(-1)!, weights.finalNorm, normEps, normOffset);
  const kl = of.flatMap((sequence) => [
    ...klDivergence(final(base.layers, sequence), final(layers, sequence), weights.embed, hidden, logitSoftcap).slice(
      0,
      -1,
    ),
  ]);
  return kl.reduce((sum, value) => sum + value, 0) / kl.length;
}

const open = (options: EngineOptions = {}) =>
  Engine.create(context, model, { vocabPartBytes: 24 * shape.hidden * 4, ...options });

const row = shape.hidden * 4;
describe.each<[string, EngineOptions]>([
  ['all at once', {}],
  ['rounds of three variants', { sweepBytes: 4 * 9 * row }],
  ['one variant and window at a time', { sweepBytes: 1 }],
])('%s', (_, options) => {
  test('every variant is as far from the whole model as in float64', async () => {
    const engine = await open(options);
    const { kl, passes } = await engine.divergence(variants, sequences);
    const expected = variants.map((layers) => reference(layers, sequences));
    expect(kl).toBeAllclose(expected, { rtol: 2e-4, atol: 2e-6 });
    expect(kl[1]).toBeLessThan(1e-6);
    expect(kl[4]).toBe(kl[0]);
    expect(passes.separate).toBe(sequences.length * (7 + 9 + 7 + 7 + 7 + 7 + 2 + 0));
    engine.dispose();
  });
});

test('norms on outputs, GELU, a scaled embedding and soft caps of scores and logits', async () => {
  const other: ModelShape = {
    ...shape,
    layers: [
      block(0, { normPlacement: 'both', activation: 'gelu_tanh' }),
      block(1, { normPlacement: 'post', qkNorm: 'all' }),
      block(2, { normPlacement: 'both', scoreSoftcap: 2, attnScale: 0.2 }),
    ],
    normOffset: 1,
    embedScale: 5.5,
    logitSoftcap: 4,
  };
  const [first, second, third] = other.layers as [LayerShape, LayerShape, LayerShape];
  const lists = [[second, third], [first, { ...second, ...noAttention }, { ...third, ffn: 0 }], [first]];
  const random = randomModel(other, 'F16');
  const engine = await Engine.create(context, random);
  const { kl } = await engine.divergence(lists, sequences);
  expect(kl).toBeAllclose(
    lists.map((layers) => reference(layers, sequences, random)),
    { rtol: 2e-4, atol: 2e-6 },
  );
  engine.dispose();
});

test('what is kept of the whole model changes nothing, and saves its pass', async () => {
  const engine = await open();
  const plain = await engine.divergence(variants.slice(2, 4), sequences);
  const base = new BaseStates(2 ** 20);
  const first = await engine.divergence(variants.slice(2, 4), sequences, { base });
  const second = await engine.divergence(variants.slice(2, 4), sequences, { base });
  expect(first).toEqual(plain);
  expect(second.kl).toBeAllclose(plain.kl, { rtol: 1e-6 });
  expect(second.passes.made).toBeLessThan(first.passes.made);
  expect(second.passes.separate).toBe(first.passes.separate);
  // A window that is new beside those that are kept.
  const more = [...sequences, [3, 2, 1, 0]];
  expect((await engine.divergence(variants.slice(2, 4), more, { base })).kl).toBeAllclose(
    variants.slice(2, 4).map((layers) => reference(layers, more)),
    { rtol: 2e-4 },
  );
  // Half of the states fit; the rest is computed again.
  const small = new BaseStates(14 * row);
  for (const _ of [1, 2]) {
    const found = await engine.divergence(variants.slice(2, 4), sequences, { base: small });
    expect(found.kl).toBeAllclose(plain.kl, { rtol: 1e-6 });
  }
  expect(sequences.filter((sequence) => small.of(sequence) !== undefined).length).toBeLessThan(sequences.length);
  expect(engine.memory().liveBytes).toBeLessThan(2 ** 20);
  engine.dispose();
});

test('a shared beginning is computed once: as many rows pass the sub-blocks as the count says', async () => {
  const engine = await open();
  const alike = [[6, 5, 4, 3, 2, 1]];
  const base = new BaseStates(2 ** 20);
  await engine.divergence([[...shape.layers]], alike, { base });
  const attention = vi.spyOn(Forward.prototype, 'attention');
  const mlp = vi.spyOn(Forward.prototype, 'mlp');
  // Without d, without e: a, b, c once for both, then e for the one and d for the other.
  const { passes } = await engine.divergence(
    [
      [a, b, c, e],
      [a, b, c, d],
    ],
    alike,
    { base },
  );
  expect(passes).toEqual({ made: 5 + 2 + 2, separate: 7 + 7 });
  const rows = [...attention.mock.calls, ...mlp.mock.calls].reduce((sum, [, { count }]) => sum + count, 0);
  expect(rows).toBe(passes.made * 6);
  engine.dispose();
});

test.each([
  ['moved', [b, a]],
  ['repeated', [a, a]],
  ['narrowed', [{ ...a, heads: 2, kvHeads: 1 }]],
  ['unknown', [block(9)]],
])('blocks that are %s are refused', async (_, layers) => {
  const engine = await open();
  await expect(engine.divergence([layers], sequences)).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(engine.divergence([[a]], [[1], [2]])).rejects.toThrow(/nothing is predicted/);
  engine.dispose();
});

test('progress ends at its total, and a cancelled call frees what it took', async () => {
  const engine = await open({ sweepBytes: 1 });
  const before = engine.memory().liveBytes;
  const seen: number[] = [];
  const controller = new AbortController();
  await engine.divergence(variants, sequences, { onProgress: ({ done }) => seen.push(done) });
  expect(seen[0]).toBe(0);
  expect(seen.at(-1)).toBe(variants.length);
  const cancelled = engine.divergence(variants, sequences, {
    signal: controller.signal,
    onProgress: ({ done }) => done === 2 && controller.abort(),
  });
  await expect(cancelled).rejects.toMatchObject({ code: 'aborted' });
  expect(engine.memory().liveBytes).toBeLessThanOrEqual(before + 2 ** 16);
  expect((await engine.divergence([variants[0]!], sequences)).kl).toBeAllclose([reference(variants[0]!, sequences)], {
    rtol: 2e-4,
  });
  engine.dispose();
});
