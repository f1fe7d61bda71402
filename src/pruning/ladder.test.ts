import { describe, expect, test } from 'vitest';
import { LabError } from '../errors';
import { modelParameters } from '../model/count';
import type { LayerShape, ModelShape } from '../model/shape';
import { applyPlan } from './apply';
import { highestRung, type Ladder, lowestMeasured, lowestRung } from './ladder';
import { planOf } from './select';

/** Ten equal blocks. */
const layer: LayerShape = { source: 0, heads: 4, kvHeads: 2, headDim: 4, ffn: 40 };
const base: ModelShape = {
  ...{ family: 'llama', vocab: 50, hidden: 16, normEps: 1e-5, ropeTheta: 1e4, maxPositions: 64, tiedHead: true },
  layers: Array.from({ length: 10 }, (_, source) => ({ ...layer, source })),
};
const size = (shape: ModelShape): number => modelParameters(shape) / modelParameters(base);

/** Removes the first `rung` blocks; rungs above `possible` would empty a layer. */
function blocks(possible = 9, last = 9) {
  const asked: number[] = [];
  const planAt = (rung: number) =>
    planOf(
      'm',
      'block',
      Array.from({ length: rung }, (_, index) => index),
    );
  const ladder: Ladder = {
    last,
    async shapeAt(rung) {
      asked.push(rung);
      if (rung > possible) throw new LabError('bad-argument', 'a layer would be empty', '');
      return applyPlan(base, planAt(rung));
    },
    planAt: async (rung) => planAt(rung),
  };
  return { ladder, asked };
}

describe('by shapes', () => {
  test('the lowest rung that fits, in a few questions', async () => {
    for (let wanted = 1; wanted <= 9; wanted++) {
      const { ladder, asked } = blocks();
      expect(await lowestRung(ladder, ({ layers }) => layers.length <= 10 - wanted)).toBe(wanted);
      expect(asked.length).toBeLessThanOrEqual(4);
    }
  });

  test('none, where only rungs that cannot be would fit', async () => {
    expect(await lowestRung(blocks(5).ladder, ({ layers }) => layers.length <= 4)).toBeNull();
    expect(await lowestRung(blocks(5).ladder, ({ layers }) => layers.length <= 5)).toBe(5);
    expect(await lowestRung(blocks().ladder, () => false)).toBeNull();
    expect(await lowestRung(blocks().ladder, () => true, 3)).toBe(4);
    expect(await highestRung(blocks(5).ladder)).toBe(5);
    expect(await highestRung(blocks().ladder)).toBe(9);
  });

  test('another failure is none of the method’s', async () => {
    const broken: Ladder = {
      ...blocks().ladder,
      shapeAt: async () => {
        throw new LabError('device-lost', 'gone', '');
      },
    };
    await expect(lowestRung(broken, () => true)).rejects.toMatchObject({ code: 'device-lost' });
  });
});

describe('by measurements', () => {
  /** The search on a machine where a shape takes `time`; with the rungs that it measured. */
  async function search(time: (share: number) => number, limit: number, { ladder } = blocks()) {
    const measured: number[] = [];
    const measure = async (rung: number) => {
      measured.push(rung);
      return time(size(await ladder.shapeAt(rung)));
    };
    return { ...(await lowestMeasured(ladder, { limit, original: time(1), measure })), measured };
  }

  test('where time falls as the parameters do, the first measurement is it', async () => {
    const { met, measured } = await search(
      (share) => 10 * share,
      10 * size(applyPlan(base, planOf('m', 'block', [0, 1]))),
    );
    expect(measured).toEqual([2]);
    expect(met).toMatchObject({ rung: 2 });
  });

  test('where half of the time stays whatever is removed, the line is corrected, and the lowest rung within is found', async () => {
    const time = (share: number) => 5 + 5 * share;
    for (const limit of [9.6, 9, 8, 7, 6]) {
      const { met, measured } = await search(time, limit);
      expect(met!.value).toBeLessThanOrEqual(limit);
      const below = applyPlan(
        base,
        planOf(
          'm',
          'block',
          Array.from({ length: met!.rung - 1 }, (_, index) => index),
        ),
      );
      // Either the rung below does not meet it, or this one is as close as repeated measurements tell.
      expect(time(size(below)) > limit || met!.value >= 0.97 * limit).toBe(true);
      expect(measured.length).toBeLessThanOrEqual(4);
    }
  });

  test('five measurements at most, none twice, also where times say nothing', async () => {
    let call = 0;
    const noise = [10, 9.9, 10.1, 9.8, 10.2, 9.95, 10.05];
    const { met, closest, measured } = await search(() => noise[call++]!, 5);
    expect(met).toBeNull();
    expect(closest.value).toBeLessThan(10);
    expect(measured.length).toBeLessThanOrEqual(5);
    expect(new Set(measured).size).toBe(measured.length);
  });

  test('a limit beyond the highest rung is not met; the closest value is told', async () => {
    const { met, closest } = await search((share) => 10 * share, 0.1, blocks(6));
    expect(met).toBeNull();
    expect(closest.rung).toBe(6);
  });

  test('many fine rungs, as of a width method', async () => {
    const fine: Ladder = {
      last: 9999,
      shapeAt: async (rung) => ({ ...base, layers: [{ ...layer, ffn: 10_000 - rung }] }),
      planAt: async () => planOf('m', 'block', []),
    };
    const whole = modelParameters(await fine.shapeAt(0));
    const measure = async (rung: number) => 3 + 7 * (modelParameters(await fine.shapeAt(rung)) / whole) ** 2;
    const { met } = await lowestMeasured(fine, { limit: 8, original: 10, measure });
    expect(met!.value).toBeLessThanOrEqual(8);
    expect(met!.value).toBeGreaterThanOrEqual(0.97 * 8);
  });
});
