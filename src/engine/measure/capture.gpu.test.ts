/** @file Captured states against the float64 model: every boundary, every MLP's part, with all blocks on the GPU and with none. */
import { afterEach, expect, test } from 'vitest';
import { subBlockStates } from '../../numerics/model';
import { Engine } from '../engine';
import { sharedTestDevice } from '../testing/harness';
import { block, randomModel, tinyShape } from '../testing/testWeights';

const context = await sharedTestDevice();
const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.dispose();
});

const shape = tinyShape([
  block(0, { biases: ['downBias'] }),
  block(1, { heads: 0, kvHeads: 0 }),
  block(2, { ffn: 0 }),
  block(3, { normPlacement: 'both' }),
]);
const model = randomModel(shape, 'F16');
/** Of several lengths: padding must not show. */
const sequences = [
  [40, 41, 42, 43, 44, 45, 46],
  [1, 5, 9, 13, 17, 21, 25, 29, 33],
  [7, 8],
];
const points = [
  ...[0, 1, 2, 3, 4].map((layer) => ({ what: 'stream', layer }) as const),
  ...[0, 1, 2, 3].map((layer) => ({ what: 'mlp', layer }) as const),
];

test.each([{}, { memoryBytes: 1 }])('states of every sequence, with %o', async (options) => {
  const engine = await Engine.create(context, model, options);
  engines.push(engine);
  const seen: number[] = [];
  const sizes: number[] = [];
  const differences: number[] = [];
  await engine.capture(sequences, points, () => (states, sequence) => {
    seen.push(sequence);
    const expected = subBlockStates(shape, model.reference, sequences[sequence]!);
    for (const [at, { what, layer }] of points.entries()) {
      const wanted =
        what === 'stream'
          ? expected[2 * layer]!
          : expected[2 * layer + 2]!.map((value, i) => value - expected[2 * layer + 1]![i]!);
      sizes.push(states[at]!.length / wanted.length);
      differences.push(wanted.reduce((worst, value, i) => Math.max(worst, Math.abs(value - states[at]![i]!)), 0));
    }
  });
  expect(seen.sort()).toEqual([0, 1, 2]);
  expect(new Set(sizes)).toEqual(new Set([1]));
  expect(Math.max(...differences)).toBeLessThan(1e-4);
});

test('a pass goes no further than its last point, tells how far it is, and stops', async () => {
  const engine = await Engine.create(context, model);
  engines.push(engine);
  const first = [{ what: 'stream', layer: 0 }] as const;
  const progress: number[] = [];
  const onProgress = ({ done, total }: { done: number; total: number }) => void progress.push(done / total);
  await engine.capture(sequences, first, () => () => undefined, { onProgress });
  expect(progress.at(-1)).toBe(1);
  const signal = AbortSignal.abort();
  await expect(engine.capture(sequences, points, () => () => undefined, { signal })).rejects.toMatchObject({
    code: 'aborted',
  });
});

test('states that are not finite are refused, and the message says where they come from', async () => {
  const { weights } = randomModel(shape, (role) => (role === 'postMlpNorm' ? 'F32' : 'F16'));
  const broken = {
    ...weights,
    read: async (...args: Parameters<typeof weights.read>) => {
      const bytes = await weights.read(...args);
      if (args[0].name === 'postMlpNorm 3') new Float32Array(bytes.buffer).fill(3e38);
      return bytes;
    },
  };
  const engine = await Engine.create(context, { shape, weights: broken });
  engines.push(engine);
  const end = [{ what: 'stream', layer: 4 }] as const;
  await expect(engine.capture(sequences, end, () => () => undefined)).rejects.toMatchObject({
    code: 'non-finite',
    message: expect.stringContaining('MLP of block 3') as unknown,
  });
});
