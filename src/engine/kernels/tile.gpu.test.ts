/** @file Every tile in every kernel and weight type compiles, also where no adapter here has the feature to run it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import type { GpuContext } from '../gpu/device';
import { Pipelines } from '../gpu/pipelines';
import { openCompilingDevice } from '../testing/harness';
import { divergencePartials } from './divergencePartials';
import { headGradient } from './headGradient';
import { headPartials } from './headPartials';
import { linear } from './linear';
import { swiglu } from './swiglu';
import { type TileName, tiles } from './tile';

let context: GpuContext;
beforeAll(async () => {
  const opened = await openCompilingDevice();
  if (opened === null)
    throw new Error("Dawn's null adapter: expected 'subgroups' and 'shader-f16', got fewer features");
  context = opened;
});
afterAll(() => context.device.destroy());

test.each(Object.keys(tiles) as TileName[])('tile %s', async (tile) => {
  const dtypes: StoredDtype[] = ['F32', 'F16', 'BF16'];
  const records = dtypes.flatMap((dtype) =>
    [linear, swiglu, headPartials, divergencePartials, headGradient].map((kernel) => kernel(dtype, tile)),
  );
  await new Pipelines(context).prepare(records);
});

test('WGSL that does not fit is refused: the device does compile', async () => {
  const wrong = { ...linear('F32', 'f16'), code: linear('F32', 'f16').code.replace('enable f16;', '') };
  await expect(new Pipelines(context).prepare([wrong])).rejects.toThrow('f16');
});
