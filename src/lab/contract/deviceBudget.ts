/** @file Does a model fit this GPU, and what a user lets it take of its memory? Asked before it is downloaded. */
import { LabError } from '../../errors';
import { modelParameters } from '../../model/count';
import { dtypeOfBytes, type GpuBudget, gpuFit, memoryPlan } from '../../model/memory';
import type { ModelShape } from '../../model/shape';
import type { DeviceInfo } from '../../report/facts';

/** The most that this GPU binds in one piece, bytes; null without one. */
export function bindingBytes(device: Pick<DeviceInfo, 'limits'> | null): number | null {
  const limits = [device?.limits['maxStorageBufferBindingSize'], device?.limits['maxBufferSize']];
  const known = limits.filter((limit) => limit !== undefined);
  return known.length === 0 ? null : Math.min(...known);
}

/** What a device gives an engine. */
export function gpuBudget(device: Pick<DeviceInfo, 'limits' | 'memoryBytes'> | null): GpuBudget {
  return { bindingBytes: bindingBytes(device), budgetBytes: device?.memoryBytes ?? null };
}

/**
 * Throws 'unsupported-limit', with the arithmetic, for a model of which this GPU cannot bind some piece, or of which
 * not even two blocks fit into what a user lets the engine take.
 */
export function refuseForDevice(
  label: string,
  shape: ModelShape,
  weightBytes: number | null,
  device: Pick<DeviceInfo, 'limits' | 'adapter' | 'memoryBytes'> | null,
): void {
  if (weightBytes === null || device === null) return;
  const plan = memoryPlan(shape, dtypeOfBytes(weightBytes, modelParameters(shape)));
  const budget = gpuBudget(device);
  const fit = gpuFit(plan, budget);
  if (fit === 'over-budget') {
    const { vocabularyBytes, blockBytes, activationBytes, streamedBytes } = plan;
    throw new LabError(
      'unsupported-limit',
      `${label}: two blocks at a time need ${vocabularyBytes} (embedding and head) + 2 × ${blockBytes} + ${activationBytes} (activations) = ${streamedBytes} bytes of GPU memory, and the limit is ${budget.budgetBytes}. Nothing was downloaded.`,
      'Raise the limit (“Kernels”, GPU memory; or lab.limitMemory), or choose a smaller model.',
    );
  }
  if (fit !== 'over-binding') return;
  const { bytes, what, dims } = plan.binding;
  const elements = plan.dtype === 'F32' ? '4 bytes' : '2 bytes';
  throw new LabError(
    'unsupported-limit',
    `${label} does not fit this GPU: ${what} of a block are ${dims.join(' × ')} × ${elements} = ${bytes} bytes in one buffer, and '${device.adapter}' allows ${budget.bindingBytes} per binding. Nothing was downloaded.`,
    'Choose a smaller model, one with 16-bit weights, or another GPU.',
  );
}
