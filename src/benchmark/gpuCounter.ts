/** @file Counts what really reaches the GPU, by wrapping WebGPU's prototypes: for tests that nothing falls to the CPU unseen. */

export interface GpuCalls {
  dispatches: number;
  /** Read-backs to the CPU. */
  maps: number;
  /** Compute pipelines made. */
  pipelines: number;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Wraps prototype[name]; gives back a function that restores it. */
function watch(prototype: object, name: string, onCall: () => void): () => void {
  const owner = prototype as Record<string, Method>;
  const original = owner[name]!;
  owner[name] = function counted(...args) {
    onCall();
    return original.apply(this, args);
  };
  return () => {
    owner[name] = original;
  };
}

/** Runs `job` and counts what all devices of this thread do meanwhile. */
export async function countGpuCalls<T>(job: () => Promise<T>): Promise<{ result: T; calls: GpuCalls }> {
  const calls: GpuCalls = { dispatches: 0, maps: 0, pipelines: 0 };
  const count = (key: keyof GpuCalls) => () => {
    calls[key] += 1;
  };
  const restore = [
    watch(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', count('dispatches')),
    watch(GPUComputePassEncoder.prototype, 'dispatchWorkgroupsIndirect', count('dispatches')),
    watch(GPUBuffer.prototype, 'mapAsync', count('maps')),
    watch(GPUDevice.prototype, 'createComputePipeline', count('pipelines')),
    watch(GPUDevice.prototype, 'createComputePipelineAsync', count('pipelines')),
  ];
  try {
    return { result: await job(), calls };
  } finally {
    for (const undo of restore) undo();
  }
}
