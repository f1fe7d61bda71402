import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import { Engine } from '../engine';
import type { GpuContext } from '../gpu/device';
import type { Kernel } from '../gpu/kernel';
import { type AnyTileName, offeredBackTiles } from '../kernels/backTile';
import { classKey, operations } from '../kernels/matmulClasses';
import { offeredTiles, type TileName } from '../kernels/tile';
import { longTier, sharedTestDevice } from '../testing/harness';
import { randomModel } from '../testing/testWeights';
import { type KernelOf, kernelOf } from './matmulTrial';
import { departure } from './tuner';

const shape: ModelShape = {
  family: 'llama',
  vocab: 67,
  hidden: 32,
  layers: [0, 1].map((source) => ({ source, heads: 4, kvHeads: 2, headDim: 8, ffn: 42 })),
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedHead: true,
};
const sequences = [Array.from({ length: 40 }, (_, i) => i)];
const model = randomModel(shape, 'F16');

let context: GpuContext;
let engine: Engine;
beforeAll(async () => {
  context = await sharedTestDevice();
});
beforeEach(async () => {
  engine = await Engine.create(context, model);
});
afterEach(() => engine.dispose());

/** The engine's records, but those of one tile changed. */
function spoiled(tile: TileName, change: (code: string) => string): KernelOf {
  const made = new Map<Kernel, Kernel>();
  return (operation, dtype, name) => {
    const kernel = kernelOf(operation, dtype, name);
    if (name !== tile) return kernel;
    const wrong = made.get(kernel) ?? { ...kernel, code: change(kernel.code) };
    made.set(kernel, wrong);
    return wrong;
  };
}

test.runIf(longTier)(
  'every operation of the model is measured in every tile that may run it, and the fastest is used',
  async () => {
    const before = await engine.score(shape.layers, sequences);
    const stages: string[] = [];
    const { measured, left } = await engine.tune({
      // More than all of it takes, on a busy machine too: a software adapter compiles each tile for seconds.
      budgetMs: 240_000,
      onProgress: ({ stage, done, total, unit }) => stages.push(`${stage} ${done}/${total} ${unit}`),
    });
    expect(left).toBe(0);
    expect(stages[0]).toBe(`tune 0/${measured.length} shapes`);
    expect(new Set(measured.map(({ operation }) => operation))).toEqual(new Set(operations));
    expect(new Set(measured.map(classKey)).size).toBe(measured.length);
    for (const { operation, byFour, tile, fallback, trials } of measured) {
      const back = operation === 'linearInputGradient' || operation === 'weightSalience';
      const all = offeredTiles(context.info.features, byFour ? 4 : 1);
      const offered = back ? offeredBackTiles(byFour, context.info.largeTiles) : all;
      expect(trials.map((trial) => trial.tile)).toEqual(offered);
      expect(trials.filter(({ refused }) => refused !== null)).toEqual([]);
      const times = trials.flatMap(({ milliseconds }) => (milliseconds === null ? [] : [milliseconds]));
      expect(Math.min(...times)).toBeGreaterThan(0);
      const time = (name: AnyTileName) =>
        trials.find((trial) => trial.tile === name)?.milliseconds ?? Number.POSITIVE_INFINITY;
      if (tile !== fallback) expect(time(tile)).toBe(Math.min(...times));
    }
    const after = await engine.score(shape.layers, sequences);
    expect(after.sumNll[0]! / before.sumNll[0]!).toBeCloseTo(1, 5);
    expect((await engine.tune()).measured).toEqual([]);
  },
);

test('a tile with wrong results is refused, with the departure', async () => {
  // The last of the row's products is left out: too little to see in a score, far too much for rounding.
  const [victim, fallback] = context.info.largeTiles ? (['4x8', '16x8'] as const) : (['16x8', '4x8'] as const);
  const wrong = spoiled(victim, (code) => code.replace('k < steps', 'k + 1u < steps'));
  const { measured } = await engine.tune({ budgetMs: 60_000, operations: ['linear'], kernelOf: wrong });
  const linear = measured.filter(({ operation, byFour }) => operation === 'linear' && byFour);
  expect(linear.length).toBeGreaterThan(0);
  for (const { tile, trials } of linear) {
    expect(tile).not.toBe(victim);
    const trial = trials.find((one) => one.tile === victim)!;
    expect(trial.milliseconds).toBeNull();
    expect(trial.refused).toMatch(new RegExp(`departs from ${fallback} by [\\d.]+ of the root mean square`));
  }
});

test('so are one that leaves results out, and one that does not compile', async () => {
  const silent = spoiled('any', (code) => code.replaceAll(/y\[first \+ i\] = value;/g, ''));
  const broken = spoiled('workgroup', (code) => `${code} nonsense`);
  const records: KernelOf = (operation, dtype, tile) => (tile === 'any' ? silent : broken)(operation, dtype, tile);
  const { measured } = await engine.tune({ budgetMs: 1, operations: ['linear'], kernelOf: records });
  const [linear] = measured;
  const refused = (tile: TileName) => linear!.trials.find((trial) => trial.tile === tile)?.refused;
  expect(refused('any')).toContain('departs');
  expect(refused('workgroup')).toContain('did not compile');
});

test('where the static choice itself is wrong, nothing is chosen: the adapter is not to be trusted', async () => {
  const usual = context.info.largeTiles ? '16x8' : '4x8';
  const wrong = spoiled(usual, (code) => code.replace('k < steps', 'k + 1u < steps'));
  const tuning = engine.tune({ budgetMs: 60_000, operations: ['linear'], kernelOf: wrong });
  await expect(tuning).rejects.toMatchObject({ code: 'self-check' });
  expect(engine.tuned).toEqual([]);
});

describe('bounds', () => {
  test('the time is bounded, and what is left keeps the static choice', async () => {
    const { measured, left } = await engine.tune({ budgetMs: 0 });
    expect(measured).toEqual([]);
    expect(left).toBeGreaterThan(10);
    expect(engine.tuned).toEqual([]);
  });

  test('a cancelled tuning keeps what it found, and another goes on from there', async () => {
    const abort = new AbortController();
    const running = engine.tune({
      budgetMs: 60_000,
      operations: ['linear'],
      signal: abort.signal,
      onProgress: ({ done }) => done === 2 && abort.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: 'aborted' });
    expect(engine.tuned).toHaveLength(2);
    const totals: number[] = [];
    const none = { budgetMs: 0, operations: ['linear'] } as const;
    await engine.tune({ ...none, onProgress: ({ total }) => totals.push(total) });
    const { left } = await engine.tune({ ...none, force: true });
    expect(totals).toEqual([left - 2]);
  });

  test('an analysis comes between two classes', async () => {
    let over = false;
    const tuning = engine.tune({ budgetMs: 60_000, operations: ['swiglu'] }).then(() => {
      over = true;
    });
    await engine.magnitudes();
    expect(over).toBe(false);
    await tuning;
  });

  test('buffers return to their count', async () => {
    const before = engine.memory().liveBytes;
    await engine.tune({ budgetMs: 1 });
    expect(engine.memory().liveBytes).toBe(before);
  });
});

test('a departure is in parts of the root mean square, and NaN where a result is', () => {
  expect(departure(Float32Array.of(3, 4.5), Float32Array.of(3, 4))).toBeCloseTo(0.5 / Math.sqrt(12.5), 6);
  expect(departure(Float32Array.of(3, Number.NaN), Float32Array.of(3, 4))).toBeNaN();
});
