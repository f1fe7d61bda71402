import type { Progress, TaskOptions } from '../../task';
import type { Forward } from './forward';
import type { PassParts } from './parts';
import type { Batch } from './sequences';

/** The parts of an open engine. */
export interface EngineParts extends PassParts {
  readonly forward: Forward;
  /** Memory for the hidden states of one round of a removal sweep, bytes. */
  readonly sweepBytes: number;
  /** GPU memory for the blocks' inputs that a backward pass needs, bytes; those beyond wait in the worker's memory. */
  readonly inputBytes: number;
  /** Memory for the logits' gradients of one chunk of the vocabulary, bytes. */
  readonly logitBytes: number;
}

/** A function that counts finished steps and reports them in a unit that the user understands. */
export function progressSteps(
  { onProgress }: TaskOptions,
  stage: string,
  steps: number,
  units: number,
  unit: Progress['unit'],
): (count?: number) => void {
  let done = 0;
  onProgress?.({ stage, done: 0, total: units, unit });
  return (count = 1) => {
    done += count;
    onProgress?.({ stage, done: Math.min(units, Math.floor((done / steps) * units)), total: units, unit });
  };
}

/** An acquired buffer with the given words. */
export async function uploadWords(
  { buffers, queue }: EngineParts,
  words: Uint32Array<ArrayBuffer>,
  label: string,
): Promise<GPUBuffer> {
  const buffer = await buffers.acquire(words.byteLength, label);
  await queue.write(buffer, words);
  return buffer;
}

/** Embeds a batch into rows of `hidden` from `first`. */
export async function embedBatch(parts: EngineParts, batch: Batch, buffer: GPUBuffer, first = 0): Promise<void> {
  parts.weights.checks.embed(batch.tokens);
  const tokens = await uploadWords(parts, batch.tokens, 'tokens');
  await parts.forward.embed(tokens, { buffer, first, count: batch.tokens.length });
  parts.buffers.release(tokens);
}

/**
 * Sums of the losses that count, by sequence: without the one after a sequence's last token, without those of padding, and without
 * those before a sequence's first target (`firsts`, by sequence; 1 without it).
 */
export function sumLosses(batch: Batch, nll: Float32Array, first = 0, firsts?: readonly number[]): number[] {
  return batch.lengths.map((length, sequence) => {
    let sum = 0;
    const start = (firsts?.[batch.sequences[sequence]!] ?? 1) - 1;
    for (let row = start; row < length - 1; row++) sum += nll[first + sequence * batch.seqLen + row]!;
    return sum;
  });
}
