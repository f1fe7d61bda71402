/** @file Whether a training fits the memory that the engine may take. */
import { LabError } from '../../../errors';
import { modelParameters } from '../../../model/count';
import type { ModelShape } from '../../../model/shape';
import type { Gpu } from '../gpu';

/** float32 weight, gradient and two moments. */
const bytesPerParameter = 16;

/** @throws LabError 'unsupported-limit' with the arithmetic */
export function refuseForMemory(gpu: Gpu, shape: ModelShape): void {
  const parameters = modelParameters(shape);
  const needed = parameters * bytesPerParameter;
  if (gpu.memoryBytes === null || needed <= gpu.memoryBytes) return;
  throw new LabError(
    'unsupported-limit',
    `retrain: ${parameters} parameters × ${bytesPerParameter} bytes (weight, gradient and two moments in float32) = ${needed} bytes, and the limit is ${gpu.memoryBytes}.`,
    'Raise the limit with lab.limitMemory, or train a smaller variant.',
  );
}
