/** @file What memoryPlan promises before a download, against what the engine then holds. */
import { beforeAll, expect, test } from 'vitest';
import { memoryPlan } from '../model/memory';
import type { ModelShape } from '../model/shape';
import { Engine } from './engine';
import type { GpuContext } from './gpu/device';
import { sharedTestDevice } from './testing/harness';
import { randomModel } from './testing/testWeights';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

/** Its kernels are those of other tests, too. */
const shape: ModelShape = {
  family: 'llama',
  vocab: 999,
  hidden: 96,
  layers: Array.from({ length: 6 }, (_, source) => ({ source, heads: 12, kvHeads: 4, headDim: 8, ffn: 256 })),
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedHead: false,
};
const sequences = Array.from({ length: 8 }, (_, w) => Array.from({ length: 64 }, (_, i) => (i * 37 + w * 101) % 999));

test('weights to the byte but for padding; Taylor and a sweep within what was said, and not far below', async () => {
  const plan = memoryPlan(shape, 'F16', { tokens: 512 });
  const engine = await Engine.create(context, randomModel(shape, 'F16'));
  try {
    const { liveBytes, resetPeak } = engine.memory();
    const weights = plan.vocabularyBytes + plan.blocksBytes;
    expect(liveBytes).toBeGreaterThanOrEqual(weights);
    expect(liveBytes).toBeLessThan(weights + 64 * 16);
    const peakOf = async (work: () => Promise<unknown>): Promise<number> => {
      resetPeak();
      await work();
      return engine.memory().peakBytes - liveBytes;
    };
    const taylor = await peakOf(() => engine.taylor(sequences));
    const removals = shape.layers.map((_, layer) => ({ layer, kind: 'block' as const }));
    const sweep = await peakOf(() => engine.removalSweep(sequences, removals));
    console.log(`plan ${plan.activationBytes}, taylor ${taylor}, sweep ${sweep}`);
    expect(Math.max(taylor, sweep)).toBeLessThan(plan.activationBytes);
    // The chunk of logits, which this small vocabulary does not fill, stands for most of the plan here.
    expect(Math.max(taylor, sweep)).toBeGreaterThan((plan.activationBytes - 2 ** 24) / 2);
  } finally {
    engine.dispose();
  }
});
