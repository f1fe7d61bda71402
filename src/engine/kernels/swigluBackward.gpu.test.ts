import { afterAll, beforeAll, expect, test } from 'vitest';
import { swiglu as forwardReference } from '../../numerics/swiglu';
import { swigluBackward as reference } from '../../numerics/swigluBackward';
import '../allclose';
import type { GpuContext } from '../device';
import { openTestDevice, runKernel } from '../testing';
import { randomValues } from '../testWeights';
import { gated } from './gated';
import { swigluBackward } from './swigluBackward';

let context: GpuContext;
beforeAll(async () => {
  context = await openTestDevice();
});
afterAll(() => context.device.destroy());

/** Rows of both, gate before up. */
function joined(gate: ArrayLike<number>, up: ArrayLike<number>, ffn: number): Float32Array {
  return Float32Array.from({ length: 2 * gate.length }, (_, i) => {
    const [row, col] = [Math.floor(i / (2 * ffn)), i % (2 * ffn)];
    return col < ffn ? gate[row * ffn + col]! : up[row * ffn + col - ffn]!;
  });
}

test.each([
  [1, 64, 4],
  [3, 21, 4],
  [65, 7, 200],
])('%i × %i neurons, gates up to %i', async (rows, ffn, scale) => {
  const gate = randomValues(rows * ffn, 1, scale);
  const up = randomValues(rows * ffn, 2);
  const dY = randomValues(rows * ffn, 3);
  const gateUp = joined(gate, up, ffn);
  const activation = await runKernel(context, gated, { gateUp, y: rows * ffn }, { rows, ffn }, 'y');
  const expected = forwardReference(gate, up);
  expect(activation).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-6 });

  const dGate = new Float64Array(gate.length);
  const dUp = new Float64Array(up.length);
  reference(dY, gate, up, dGate, dUp);
  const gradients = await runKernel(context, swigluBackward, { gateUp, y: dY }, { rows, ffn }, 'gateUp');
  expect(gradients).toBeAllclose(joined(dGate, dUp, ffn), { rtol: 1e-4, atol: 2e-6 });
  const y = await runKernel(context, swigluBackward, { gateUp, y: dY }, { rows, ffn }, 'y');
  expect(y).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-6 });
});
