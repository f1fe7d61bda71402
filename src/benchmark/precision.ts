/** @file In which precision a session of ONNX Runtime holds and computes: one pure rule, and its names. */
import { LabError } from '../errors';
import { largestTensor, modelParameters } from '../model/count';
import type { ModelShape } from '../model/shape';
import type { StoredDtype } from '../model/weights';
import { type GraphPrecision, widenedAtOnce } from '../onnx/graph';
import type { OrtRuntime } from './session';

export type { GraphPrecision } from '../onnx/graph';

/** What may be asked for. 'exact': f32 arithmetic, whatever holds the weights. 'f16': everything in f16, if it agrees on real text. */
export type PrecisionRequest = 'exact' | 'f16';

export interface PrecisionFacts {
  readonly runtime: OrtRuntime;
  /** The base's, also for its variants: both must be timed in the same form. */
  readonly shape: ModelShape;
  /** How the checkpoint stores its weights. */
  readonly dtype: StoredDtype;
  /** Of the device that sessions run on. */
  readonly features: readonly string[];
  /** Bytes of the largest buffer that the device can bind; null where it is not known. */
  readonly bindingBytes: number | null;
  /** The user's limit on GPU memory in bytes; null for none. */
  readonly memoryBytes: number | null;
}

/**
 * What passes through the wasm heap of 4 GiB when a session widens its weights at creation is their f32 form and the 16
 * bits of the file; the heap is left at 1.4 times the f32 bytes (measured) and never shrinks, and a benchmark keeps two
 * sessions, of the base and of a variant.
 */
const mostWidenedBytes = Math.floor(2 ** 32 / (2 * 1.5));

/**
 * The form of all sessions of a model on a runtime.
 *
 * On WebGPU, where the adapter has shader-f16 and the checkpoint 16-bit weights, these stay 16 bits in every one of
 * these cases: the base's weights in f32 exceed the memory that a user allows; they exceed 4/3 GiB, so that two
 * sessions do not pass through the heap; or the largest matrix exceeds in f32 what the device can bind, but not in
 * parts. Elsewhere they are widened once: the faster form, since widening in every run reads and writes each weight
 * again. Throws 'bad-argument' for another request, 'not-available' where f16 is asked for and cannot run.
 */
export function precisionFor(asked: PrecisionRequest, facts: PrecisionFacts): GraphPrecision {
  const { runtime, shape, dtype, features, bindingBytes, memoryBytes } = facts;
  const float16 = runtime === 'ort-webgpu' && features.includes('shader-f16');
  if (asked === 'f16') {
    if (float16) return 'f16';
    throw new LabError(
      'not-available',
      runtime === 'ort-wasm' ? 'wasm computes in f32 only.' : 'This adapter lacks shader-f16.',
      "Omit precision: 'f16'.",
    );
  }
  if (asked !== 'exact') {
    throw new LabError('bad-argument', `precision: expected 'exact' or 'f16', got '${asked as string}'.`, 'Omit it.');
  }
  if (!float16 || dtype === 'F32') return 'f32';
  const wide = 4 * modelParameters(shape);
  if (wide > mostWidenedBytes || (memoryBytes !== null && wide > memoryBytes)) return 'f16-weights';
  const limit = bindingBytes ?? Number.POSITIVE_INFINITY;
  const { elements: largest } = largestTensor(shape);
  const narrow = Math.max(2 * largest, Math.min(4 * largest, widenedAtOnce));
  return 4 * largest > limit && narrow <= limit ? 'f16-weights' : 'f32';
}
