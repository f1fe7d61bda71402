/** @file What `lab.memory` reports: the GPU memory of the base's engine and of all variants' engines together. */
import type { TaskOptions } from '../../task';
import type { MemoryInfo } from '../contract/types';
import type { Gpu } from './gpu';

/** Null without a GPU. */
export async function memoryInUse(gpu: Gpu, task: TaskOptions): Promise<MemoryInfo | null> {
  const handle = await gpu.engine(task);
  if (handle === null) return null;
  const { liveBytes, peakBytes, blocks } = handle.engine.memory();
  const { bytes: blockBytes, uploadedBytes: _, ...rest } = blocks;
  return { budgetBytes: gpu.memoryBytes, liveBytes, peakBytes, blockBytes, ...rest };
}
