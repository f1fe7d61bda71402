/** @file What ONNX Runtime's sessions take, and how much they may take together: arithmetic. */
import type { OrtRuntime } from '../../benchmark/session';

/**
 * All wasm sessions share one heap of 4 GiB, which never shrinks and fragments: one session of 362 million weights in f32
 * (1.45 GB) leaves it at 1.97 GB, two at 3.86, and a third one then finds no room, whichever of them was released.
 */
const wasmFactor = 1.4;
const wasmBudget = 3 * 2 ** 30;
/** Of the GPU's memory, which no browser tells; the engine's weights lie beside. */
const gpuBudget = 4 * 2 ** 30;
/** What a session has beside its weights, whatever its size: graph, plans, activations. */
const perSession = 2 ** 24;

/** Bytes that a session takes, by its weights as the runtime holds them. */
export function sessionBytes(runtime: OrtRuntime, weightBytes: number): number {
  return Math.ceil(weightBytes * (runtime === 'ort-wasm' ? wasmFactor : 1)) + perSession;
}

/** Bytes that all sessions of a runtime may take before idle ones go. `memoryBytes` is what a user allows the GPU. */
export function sessionBudget(runtime: OrtRuntime, memoryBytes: number | null): number {
  if (runtime === 'ort-wasm') return wasmBudget;
  return memoryBytes === null ? gpuBudget : Math.min(gpuBudget, memoryBytes);
}

/** Whether sessions and their key/value caches, bytes each, fit a runtime's budget side by side. */
export function fitTogether(
  runtime: OrtRuntime,
  sizes: readonly { readonly weights: number; readonly cache: number }[],
  memoryBytes: number | null,
): boolean {
  const taken = sizes.reduce((sum, { weights, cache }) => sum + sessionBytes(runtime, weights) + cache, 0);
  return taken <= sessionBudget(runtime, memoryBytes);
}
