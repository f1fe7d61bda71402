/** @file Whatever tile is forced, the engine's logits and saliences are those of the float64 model. */
import { afterAll, describe, expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import { modelLogits } from '../../numerics/model';
import '../testing/allclose';
import { Engine } from '../engine';
import type { GpuContext } from '../gpu/device';
import { longTier, openSubgroupDevice, sharedTestDevice } from '../testing/harness';
import { randomModel } from '../testing/testWeights';
import { offeredTiles, type TileName } from './tile';

const plain: GpuContext = await sharedTestDevice();
const withSubgroups: GpuContext | null = await openSubgroupDevice();
afterAll(() => {
  withSubgroups?.device.destroy();
});

const shape: ModelShape = {
  family: 'llama',
  vocab: 67,
  hidden: 32,
  layers: [0, 1].map((source) => ({ source, heads: 4, kvHeads: 2, headDim: 8, ffn: 44 })),
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 64,
  tiedHead: true,
};
const tokens = [1, 5, 9, 13, 17, 21, 25, 29, 33];
const model = randomModel(shape, 'F16');
const logits = modelLogits(shape, model.reference, tokens);

const cases = [plain, ...(withSubgroups === null ? [] : [withSubgroups])].flatMap((context) =>
  offeredTiles(context.info.features, 4).map((kernel) => [kernel, context] as const),
);
const distinct = new Map<TileName, GpuContext>(cases);

// Each tile has tests of its own products; what a whole model adds shows with two of them.
const tried = [...distinct].filter(([kernel]) => longTier || kernel === '4x8' || kernel === 'any');

describe.each(tried)('every product in tile %s', (kernel, context) => {
  test('logits, losses and saliences', async () => {
    const engine = await Engine.create(context, model, { kernel });
    const whole = await Engine.create(context, model);
    try {
      expect(await engine.logits(shape.layers, tokens, 'all')).toBeAllclose(logits, { rtol: 1e-4, atol: 5e-5 });
      const [forced, free] = [await engine.score(shape.layers, [tokens]), await whole.score(shape.layers, [tokens])];
      const { kernels } = await engine.profile('forward', [tokens]);
      expect(kernels.map((one) => one.kernel)).toContain(`linear F16 ${kernel}`);
      expect(forced.sumNll).toBeAllclose(free.sumNll, { rtol: 1e-5 });
      const saliences = async (one: Engine): Promise<number[]> =>
        (await one.taylor([tokens])).layers.flatMap(({ attention, mlp }) => [attention, mlp]);
      expect(await saliences(engine)).toBeAllclose(await saliences(whole), { rtol: 1e-4 });
    } finally {
      engine.dispose();
      whole.dispose();
    }
  });
});

const lacking = (['subgroup', 'f16'] as const).find(
  (name) => !offeredTiles(plain.info.features, 4, true).includes(name),
);
test.runIf(lacking !== undefined)('a tile that the adapter lacks is refused before anything is uploaded', async () => {
  await expect(Engine.create(plain, model, { kernel: lacking })).rejects.toMatchObject({ code: 'bad-argument' });
});
