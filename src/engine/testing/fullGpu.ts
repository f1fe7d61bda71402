/** @file For tests: a GPU that is full. */
import { vi } from 'vitest';

/** From now on the GPU has room for so many bytes more, until `vi.restoreAllMocks`. */
export function limitMemory(bytes: number): void {
  const sizes = new Map<GPUBuffer, number>();
  const scopes: GPUErrorFilter[] = [];
  const { createBuffer, popErrorScope, pushErrorScope } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  let used = 0;
  vi.spyOn(GPUDevice.prototype, 'createBuffer').mockImplementation(function (this: GPUDevice, descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    sizes.set(buffer, descriptor.size);
    used += descriptor.size;
    return buffer;
  });
  vi.spyOn(GPUBuffer.prototype, 'destroy').mockImplementation(function (this: GPUBuffer) {
    // What was there before the limit counts, too: it leaves room.
    used -= sizes.get(this) ?? this.size;
    sizes.delete(this);
    return destroy.call(this);
  });
  vi.spyOn(GPUDevice.prototype, 'pushErrorScope').mockImplementation(function (this: GPUDevice, filter) {
    scopes.push(filter);
    return pushErrorScope.call(this, filter);
  });
  vi.spyOn(GPUDevice.prototype, 'popErrorScope').mockImplementation(async function (this: GPUDevice) {
    const full = scopes.pop() === 'out-of-memory' && used > bytes;
    const error = await popErrorScope.call(this);
    return full ? ({ message: 'no room' } as GPUError) : error;
  });
}
