/** @file onnxruntime-web with its WebGPU provider in Node: a browser's globals where it looks for them. */
import * as web from 'onnxruntime-web/webgpu';
import type { LoadedOrt } from '../ort';

export const webLibrary: LoadedOrt = { ort: web, version: 'onnxruntime-web in Node', threads: 1 };

/** Makes Node look like a browser to the library; gives back a function that undoes it. Call after a device was opened. */
export function pretendBrowser(): () => void {
  web.env.wasm.numThreads = 1;
  // It asks for any adapter before it starts, then works on the device that a session is given.
  const gpu = { requestAdapter: async () => ({}) };
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node' }, configurable: true });
  // Dawn's binding for Node takes no view of shared memory, which the library's heap is; browsers do.
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function unshared(buffer, offset, data, start, size) {
    const own = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice() : data;
    return writeBuffer.call(this, buffer, offset, own, start, size);
  };
  return () => {
    GPUQueue.prototype.writeBuffer = writeBuffer;
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else Reflect.deleteProperty(globalThis, 'navigator');
  };
}
