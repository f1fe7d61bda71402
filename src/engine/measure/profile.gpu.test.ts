import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import { Engine } from '../engine';
import type { GpuContext } from '../gpu/device';
import { sharedTestDevice } from '../testing/harness';
import { randomModel } from '../testing/testWeights';

const shape: ModelShape = {
  family: 'llama',
  vocab: 67,
  hidden: 32,
  layers: [0, 1, 2].map((source) => ({ source, heads: 4, kvHeads: 2, headDim: 8, ffn: 44 })),
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedHead: true,
};
const sequences = [Array.from({ length: 40 }, (_, i) => i), Array.from({ length: 40 }, (_, i) => 66 - i)];
const forwardKernels = [
  'attention',
  'combinePartials',
  'embedding F16',
  'headPartials F16 4x8',
  'linear F16 4x8',
  'rmsnorm',
  'rope',
  'swiglu F16 4x8',
];

let context: GpuContext;
let engine: Engine;
beforeAll(async () => {
  context = await sharedTestDevice();
  engine = await Engine.create(context, randomModel(shape, 'F16'), { kernel: '4x8' });
});
afterAll(() => {
  engine.dispose();
});

describe.each([false, true])('by the wall clock: %s', (wallClock) => {
  test('a forward pass: every kernel by its name, its launches and operations, and shares that sum to one', async () => {
    const before = await engine.score(shape.layers, sequences);
    const { kernels, milliseconds, timing, tokens } = await engine.profile('forward', sequences, { wallClock });
    expect(timing).toBe(!wallClock && context.info.features.includes('timestamp-query') ? 'timestamps' : 'wall clock');
    expect(kernels.map(({ kernel }) => kernel).sort()).toEqual(forwardKernels);
    expect(kernels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10);
    expect(kernels.reduce((sum, { flopShare }) => sum + (flopShare ?? 0), 0)).toBeCloseTo(1, 10);
    expect(kernels.reduce((sum, one) => sum + one.milliseconds, 0)).toBeCloseTo(milliseconds, 6);
    expect(kernels.map((one) => one.milliseconds)).toEqual(
      kernels.map((one) => one.milliseconds).sort((a, b) => b - a),
    );
    expect(tokens).toBe(80);

    const one = (name: string) => kernels.find(({ kernel }) => kernel === name)!;
    // qkv, out and down of each of three layers; a norm before each half and before the head.
    expect([one('linear F16 4x8').launches, one('rmsnorm').launches]).toEqual([9, 7]);
    expect(one('linear F16 4x8').flops).toBe(3 * 2 * 80 * (32 * 64 + 32 * 32 + 44 * 32));
    expect(one('swiglu F16 4x8').flops).toBe(3 * 4 * 80 * 32 * 44);
    expect(one('headPartials F16 4x8').flops).toBe(2 * 80 * 32 * 67);
    // Two products over headDim for each pair of a query and a key that it sees.
    expect(one('attention').flops).toBeCloseTo((3 * 2 * 4 * 4 * 8 * 40 * 41) / 2, 0);
    expect(one('rope').flops).toBeNull();
    expect(await engine.score(shape.layers, sequences)).toEqual(before);
  });
});

test('a Taylor pass', async () => {
  const { kernels } = await engine.profile('taylor', sequences);
  const names = kernels.map(({ kernel }) => kernel);
  for (const name of ['headGradient F16 4x8', 'linearInputGradient F16 4x8', 'foldPairs', 'swigluBackward']) {
    expect(names).toContain(name);
  }
  const salience = kernels.find(({ kernel }) => kernel === 'weightSalience F16 4x8')!;
  expect(salience.flops).toBe(3 * 2 * 80 * (32 * 64 + 32 * 32 + 3 * 32 * 44));
});

test('layers without windows, biases and norms launch nothing for them; those with them launch that and no more', async () => {
  const biases = ['qBias', 'kBias', 'vBias'] as const;
  const layers = [
    { ...shape.layers[0]!, biases, window: 50 },
    { ...shape.layers[1]!, qkNorm: 'head' as const, window: 7 },
    { ...shape.layers[2]!, biases: [...biases, 'oBias' as const] },
  ];
  const other = await Engine.create(context, randomModel({ ...shape, layers }, 'F16'), { kernel: '4x8' });
  const { kernels } = await other.profile('forward', sequences);
  other.dispose();
  expect(kernels.map(({ kernel }) => kernel).sort()).toEqual(
    [...forwardKernels, 'attention in a window', 'bias', 'headNorm'].sort(),
  );
  const one = (name: string) => kernels.find(({ kernel }) => kernel === name)!;
  // A window that is longer than the text is none.
  expect(['attention', 'attention in a window', 'bias', 'headNorm'].map((name) => one(name).launches)).toEqual([
    2, 1, 3, 1,
  ]);
  expect(one('attention in a window').flops).toBeCloseTo(2 * 4 * 4 * 8 * (7 * 40 - 21), 0);
});

test('a bias before the activation keeps gate and up apart from it, in its own layer only; a bias of down is one launch', async () => {
  const layers = [
    shape.layers[0]!,
    { ...shape.layers[1]!, biases: ['gateBias', 'upBias', 'downBias'] as const },
    { ...shape.layers[2]!, biases: ['downBias'] as const },
  ];
  const other = await Engine.create(context, randomModel({ ...shape, layers }, 'F16'), { kernel: '4x8' });
  const { kernels } = await other.profile('forward', sequences);
  other.dispose();
  expect(kernels.map(({ kernel }) => kernel).sort()).toEqual([...forwardKernels, 'bias', 'gated'].sort());
  const launches = ['linear F16 4x8', 'swiglu F16 4x8', 'bias', 'gated'].map(
    (name) => kernels.find(({ kernel }) => kernel === name)!.launches,
  );
  expect(launches).toEqual([10, 2, 3, 1]);
});

test('Taylor measures no biases: its backward pass launches no kernel for them', async () => {
  const kernelsOf = async (layers: ModelShape['layers']) => {
    const one = await Engine.create(context, randomModel({ ...shape, layers }, 'F16'), { kernel: '4x8' });
    const { kernels } = await one.profile('taylor', sequences);
    one.dispose();
    return kernels.map(({ kernel }) => kernel);
  };
  const biases = ['qBias', 'kBias', 'vBias', 'oBias', 'downBias'] as const;
  const plain = await kernelsOf(shape.layers);
  const biased = await kernelsOf(shape.layers.map((layer) => ({ ...layer, biases })));
  expect(biased.sort()).toEqual([...plain, 'bias'].sort());
});

test('a cancelled profile leaves the engine as it was', async () => {
  const abort = new AbortController();
  const running = engine.profile('taylor', sequences, {
    signal: abort.signal,
    onProgress: ({ done }) => done > 0 && abort.abort(),
  });
  await expect(running).rejects.toMatchObject({ code: 'aborted' });
  const { timing, kernels } = await engine.profile('forward', sequences);
  expect(kernels).toHaveLength(forwardKernels.length);
  expect(timing).toBe(context.info.features.includes('timestamp-query') ? 'timestamps' : 'wall clock');
});
