/** @file Golden checkpoints of every family pruned in width, in the engine: PyTorch's numbers, with FLAP's biases and by zeroed columns too. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import '../engine/testing/allclose';
import { Engine } from '../engine/engine';
import type { GpuContext } from '../engine/gpu/device';
import { longTier, sharedTestDevice } from '../engine/testing/harness';
import type { Weighted } from './cuts';
import {
  biasedModel,
  type CutNumbers,
  cutModel,
  type GoldenCuts,
  goldenNames,
  maskedModel,
  readCuts,
} from './testing/goldenCuts';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

/** One key/value head, and biases everywhere. The others in the long tier: each compiles shaders. */
const some = ['tiny-c', 'tiny-biases'];

describe.each(longTier ? goldenNames : some)('%s', (name) => {
  const golden: GoldenCuts = readCuts(name);
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.create(context, golden.model);
  });
  afterAll(() => {
    engine.dispose();
  });

  /** Mean loss and the logits at the golden places. */
  async function numbersOf(id: string, model: Weighted): Promise<CutNumbers> {
    const view = await engine.open({ id, ...model });
    const { layers } = model.shape;
    const { sumNll, tokens } = await view.score(layers, golden.sequences);
    const logits: number[][] = [];
    for (const [sequence, position] of golden.logitsAt) {
      logits.push([...(await view.logits(layers, golden.sequences[sequence]!.slice(0, position + 1), 'last'))]);
    }
    await view.close();
    return { mean_nll: sumNll.reduce((a, b) => a + b, 0) / tokens, logits };
  }

  function expectClose(got: CutNumbers, wanted: CutNumbers, label: string): void {
    expect.soft(Math.abs(got.mean_nll / wanted.mean_nll - 1), `${label}: loss ${got.mean_nll}`).toBeLessThan(1e-5);
    wanted.logits.forEach((row, at) => {
      const size = Math.max(...got.logits[at]!.map(Math.abs));
      expect.soft(got.logits[at]!.slice(0, row.length), label).toBeAllclose(row, { rtol: 0, atol: 1e-5 * size });
    });
  }

  // In `npm test` the cuts of one method at one share, in turn from family to family: all cuts share the code.
  const turn = goldenNames.indexOf(name) % golden.width.length;
  test.each(longTier ? golden.width : [golden.width[turn]!])(
    '$method at $share: rows and columns, biases, zeros',
    async (cut) => {
      const removed = await numbersOf('removed', cutModel(golden, cut));
      expectClose(removed, cut, 'removed');
      expectClose(await numbersOf('biased', await biasedModel(golden, cut)), cut.flap_bias, 'with biases');
      expectClose(await numbersOf('masked', await maskedModel(golden, cut)), removed, 'zeroed columns');
    },
  );
});
