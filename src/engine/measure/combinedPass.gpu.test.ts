/** @file One pass for all criteria: the numbers of the separate calls, for no more blocks than Taylor's alone. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Progress } from '../../task';
import '../testing/allclose';
import { Engine } from '../engine';
import type { GpuContext } from '../gpu/device';
import { Backward } from '../pass/backward';
import { Forward } from '../pass/forward';
import { Tapes } from '../pass/tape';
import { sharedTestDevice } from '../testing/harness';
import { block, randomModel, tinyShape } from '../testing/testWeights';

let context: GpuContext;
let engine: Engine;
beforeAll(async () => {
  context = await sharedTestDevice();
  engine = await Engine.create(context, randomModel(shape, 'F16'));
});
afterAll(() => {
  engine.dispose();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const shape = tinyShape([block(0), block(1, { heads: 0, kvHeads: 0 }), block(2, { ffn: 0 }), block(3)]);

/** So different in length that they make several batches, the last without anything to predict. */
const sequences = [[1, 5, 9, 13, 17, 21, 25, 29, 33], [40, 41, 42, 43, 44], [66, 0, 2, 4, 3, 3, 3, 2, 1], [8, 9], [7]];

describe.each([
  ['recomputing', 0],
  ['keeping some activations', 2 ** 15],
  ['keeping all', 2 ** 30],
])('%s', (_, keepBytes) => {
  test('the numbers are those of the separate calls', async () => {
    const found = await engine.combinedPass(sequences, { keepBytes });
    const taylor = await engine.taylor(sequences, { keepBytes });
    const statistics = await engine.blockStatistics(sequences);
    const totals = (layers: typeof taylor.layers) =>
      layers.flatMap(({ attention, mlp, total }) => [attention, mlp, total]);
    expect(totals(found.taylor.layers)).toBeAllclose(totals(taylor.layers), { rtol: 1e-6 });
    expect(found.statistics.influence).toBeAllclose(statistics.influence, { rtol: 1e-4, atol: 1e-6 });
    expect(found.statistics.lastTokens.map((states) => states.length)).toEqual(
      sequences.map(() => shape.layers.length + 1),
    );
    found.statistics.lastTokens.forEach((states, sequence) => {
      states.forEach((state, boundary) => {
        expect(state).toBeAllclose(statistics.lastTokens[sequence]![boundary]!, { rtol: 1e-5, atol: 1e-5 });
      });
    });
    expect(found.magnitudes).toEqual(await engine.magnitudes());
  });

  test('no block is passed more often than for Taylor alone', async () => {
    const passes = [vi.spyOn(Forward.prototype, 'block'), vi.spyOn(Tapes.prototype, 'record')];
    const back = vi.spyOn(Backward.prototype, 'block');
    const counts = () => [...passes, back].map((spy) => spy.mock.calls.length);
    await engine.taylor(sequences, { keepBytes });
    const alone = counts();
    await engine.combinedPass(sequences, { keepBytes });
    expect(counts()).toEqual(alone.map((count) => 2 * count));
    const batches = 4;
    expect(alone[2]).toBe(batches * shape.layers.length);
    // What is kept is recorded on the way there, all else on the way back.
    expect(alone[1]).toBe(batches * shape.layers.length);
  });
});

test('as a task: progress to its end, cancel, and no memory kept', async () => {
  const seen: Progress[] = [];
  await engine.combinedPass(sequences, { onProgress: (progress) => seen.push(progress) });
  expect(seen[0]).toEqual({ stage: 'survey', done: 0, total: shape.layers.length, unit: 'blocks' });
  expect(seen.at(-1)!.done).toBe(shape.layers.length);
  const { liveBytes } = engine.memory();
  const controller = new AbortController();
  const onProgress = ({ done }: Progress): void => {
    if (done > 0) controller.abort();
  };
  await expect(engine.combinedPass(sequences, { signal: controller.signal, onProgress })).rejects.toMatchObject({
    code: 'aborted',
  });
  expect(engine.memory().liveBytes).toBe(liveBytes);
});
