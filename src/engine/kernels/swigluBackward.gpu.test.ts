import { beforeAll, expect, test } from 'vitest';
import { geglu } from '../../numerics/geglu';
import { gegluBackward } from '../../numerics/gegluBackward';
import { swiglu } from '../../numerics/swiglu';
import { swigluBackward } from '../../numerics/swigluBackward';
import '../testing/allclose';
import type { GpuContext } from '../gpu/device';
import { runKernel, sharedTestDevice } from '../testing/harness';
import { randomValues } from '../testing/testWeights';
import { gatedMlp } from './gatedMlp';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

/** Rows of both, gate before up. */
function joined(gate: ArrayLike<number>, up: ArrayLike<number>, ffn: number): Float32Array {
  return Float32Array.from({ length: 2 * gate.length }, (_, i) => {
    const [row, col] = [Math.floor(i / (2 * ffn)), i % (2 * ffn)];
    return col < ffn ? gate[row * ffn + col]! : up[row * ffn + col - ffn]!;
  });
}

test.each([
  ['silu', 1, 64, 4],
  ['silu', 3, 21, 4],
  ['silu', 65, 7, 200],
  ['gelu_tanh', 1, 64, 4],
  ['gelu_tanh', 3, 21, 12],
  ['gelu_tanh', 65, 7, 200],
] as const)('%s: %i × %i neurons, gates up to %i', async (activation, rows, ffn, scale) => {
  const ofGelu = activation === 'gelu_tanh';
  const kernels = gatedMlp(ofGelu ? { activation } : {});
  const [forwardReference, reference] = ofGelu ? [geglu, gegluBackward] : [swiglu, swigluBackward];
  const gate = randomValues(rows * ffn, 1, scale);
  const up = randomValues(rows * ffn, 2);
  const dY = randomValues(rows * ffn, 3);
  const gateUp = joined(gate, up, ffn);
  const activated = await runKernel(context, kernels.gated, { gateUp, y: rows * ffn }, { rows, ffn }, 'y');
  const expected = forwardReference(gate, up);
  expect(activated).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-6 });

  const dGate = new Float64Array(gate.length);
  const dUp = new Float64Array(up.length);
  reference(dY, gate, up, dGate, dUp);
  const gradients = await runKernel(context, kernels.backward, { gateUp, y: dY }, { rows, ffn }, 'gateUp');
  expect(gradients).toBeAllclose(joined(dGate, dUp, ffn), { rtol: 1e-4, atol: 2e-6 });
  const y = await runKernel(context, kernels.backward, { gateUp, y: dY }, { rows, ffn }, 'y');
  expect(y).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-6 });
});
