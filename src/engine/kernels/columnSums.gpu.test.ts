import { beforeAll, expect, test } from 'vitest';
import type { StoredDtype } from '../../model/weights';
import { columnSums as reference } from '../../numerics/columnSums';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues, stored } from '../testing/testWeights';
import { columnSums } from './columnSums';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

test.each<[StoredDtype, number, number, number]>([
  ['F32', 1, 1, 1],
  ['F32', 64, 172, 256],
  ['F16', 33, 65, 8],
  ['BF16', 21, 7, 20],
])('%s weight [%i, %i] in chunks of %i rows', async (dtype, rows, inner, chunkRows) => {
  const weight = stored(randomValues(rows * inner, 1), dtype);
  const chunks = Math.ceil(rows / chunkRows);
  const yFirst = 2;
  const pairs = await runKernel(
    context,
    columnSums[dtype],
    { weight: weight.bytes, y: 2 * (yFirst + chunks * inner) },
    { rows, inner, chunkRows, yFirst },
    'y',
  );
  const found = { absolute: new Float64Array(inner), squares: new Float64Array(inner) };
  for (let at = 0; at < chunks * inner; at++) {
    found.absolute[at % inner]! += pairs[2 * (yFirst + at)]!;
    found.squares[at % inner]! += pairs[2 * (yFirst + at) + 1]!;
  }
  const expected = reference(weight.values, inner);
  expect(expected.rows).toBe(rows);
  expect(found.absolute).toBeAllclose(expected.absolute, { rtol: 1e-6, atol: 0 });
  expect(found.squares).toBeAllclose(expected.squares, { rtol: 1e-6, atol: 0 });
});
