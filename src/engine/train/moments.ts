/**
 * @file AdamW's running means of every trained tensor: on the GPU as far as there is room, else in the worker's memory.
 *
 * Those in the worker's memory come to the GPU in pieces while their tensor is updated, and go back while the GPU goes on. Two
 * pieces at a time are on their way back.
 */
import { LabError } from '../../errors';
import { gpuError } from '../gpu/device';
import type { EngineParts } from '../pass/runtime';
import { readPieces } from './pieces';
import type { TrainedTensor } from './trainable';

export type MomentKind = 'first' | 'second';
const kinds = ['first', 'second'] as const;

/** Running means of a tensor's gradient and of its square, float32. */
export interface GpuMoments {
  readonly first: GPUBuffer;
  readonly second: GPUBuffer;
}

/** The moments of elements begin … begin + count of a tensor, from element `momentFirst` of the buffers on. */
export interface MomentSpan {
  readonly moments: GpuMoments;
  readonly momentFirst: number;
  readonly begin: number;
  readonly count: number;
}

/** A tensor's moments in the worker's memory, piece by piece; null for zeros. */
type Outside = Record<MomentKind, Float32Array<ArrayBuffer> | null>[];

const mostUnderWay = 2;
/** Of a tensor's moments that are on the GPU at a time, where they stay outside. */
export const usualMomentPiece = 2 ** 20;

/** Bytes on the GPU while moments outside of it pass through: one piece, and the copies that are on their way back. */
export function passingBytes(largestTensor: number, pieceElements = usualMomentPiece): number {
  return (1 + mostUnderWay) * 8 * Math.min(largestTensor, pieceElements);
}

export class MomentStore {
  readonly #pieceElements: number;
  readonly #onGpu = new Map<string, GpuMoments>();
  readonly #outside = new Map<string, Outside>();
  #roomBytes = Number.POSITIVE_INFINITY;
  #gpuBytes = 0;
  #underWay: Promise<void>[] = [];
  #free = new Map<GPUBuffer, () => void>();

  constructor(pieceElements = usualMomentPiece) {
    this.#pieceElements = pieceElements;
  }

  /** Bytes of the moments on the GPU. */
  get gpuBytes(): number {
    return this.#gpuBytes;
  }

  /** Moments that are made from now on stay outside of the GPU where they would need more than so many bytes in all. */
  limit(bytes: number): void {
    this.#roomBytes = bytes;
  }

  /** Makes room for a tensor's moments, before anything changes. */
  async prepare(parts: EngineParts, tensor: TrainedTensor): Promise<void> {
    await this.#placed(parts, tensor);
  }

  /** Calls `work` for the moments of elements of a tensor, span by span; it encodes commands that change them. */
  async change(
    parts: EngineParts,
    tensor: TrainedTensor,
    { first, count }: { first: number; count: number },
    work: (span: MomentSpan) => Promise<void>,
  ): Promise<void> {
    const moments = await this.#placed(parts, tensor);
    if (moments !== null) return work({ moments, momentFirst: first, begin: first, count });
    const outside = this.#outside.get(tensor.key)!;
    const size = this.#pieceElements;
    for (let begin = first; begin < first + count; ) {
      const index = Math.floor(begin / size);
      const end = Math.min(first + count, (index + 1) * size);
      const span = { begin, count: end - begin, momentFirst: 0 };
      await this.#pass(parts, outside[index]!, begin - index * size, this.#lengthOf(tensor, index), span, work);
      begin = end;
    }
  }

  /** Takes a piece, or some of it, to the GPU and back. */
  async #pass(
    { buffers, queue, context }: EngineParts,
    piece: Outside[number],
    from: number,
    length: number,
    span: Omit<MomentSpan, 'moments'>,
    work: (span: MomentSpan) => Promise<void>,
  ): Promise<void> {
    const bytes = span.count * 4;
    const load = async (kind: MomentKind): Promise<GPUBuffer> => {
      const buffer = await buffers.acquire(bytes, `moments on their way`);
      const values = piece[kind]?.subarray(from, from + span.count);
      if (values === undefined) queue.clear(buffer);
      else await queue.write(buffer, values);
      return buffer;
    };
    const moments = { first: await load('first'), second: await load('second') };
    await work({ ...span, moments });
    if (this.#underWay.length >= mostUnderWay) await this.#underWay.shift();
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = await buffers.allocate(2 * bytes, 'moments on their way back', usage);
    for (const [at, kind] of kinds.entries()) queue.copy(moments[kind], 0, staging, at * bytes, bytes);
    await queue.submit();
    for (const kind of kinds) buffers.release(moments[kind]);
    const back = async (): Promise<void> => {
      try {
        await staging.mapAsync(GPUMapMode.READ, 0, 2 * bytes);
        const values = new Float32Array(staging.getMappedRange(0, 2 * bytes));
        kinds.forEach((kind, at) => {
          piece[kind] ??= zeros(length);
          piece[kind].set(values.subarray(at * span.count, (at + 1) * span.count), from);
        });
      } catch (thrown) {
        throw thrown instanceof LabError ? thrown : await gpuError(context, thrown);
      } finally {
        buffers.free(staging);
      }
    };
    const done = back();
    done.catch(() => undefined); // raised where it is awaited
    this.#underWay.push(done);
  }

  /** Waits until all moments are where they stay. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay.splice(0));
  }

  /** A moment of a tensor in order, piece by piece; the arrays are the caller's. */
  async *read(parts: EngineParts, tensor: TrainedTensor, kind: MomentKind): AsyncGenerator<Float32Array<ArrayBuffer>> {
    const moments = await this.#placed(parts, tensor);
    if (moments !== null) {
      yield* readPieces(parts, moments[kind], 0, tensor.count);
      return;
    }
    for (const [index, piece] of this.#outside.get(tensor.key)!.entries()) {
      yield piece[kind]?.slice() ?? zeros(this.#lengthOf(tensor, index));
    }
  }

  /** Sets a moment's values from element `first` on. */
  async write(
    parts: EngineParts,
    tensor: TrainedTensor,
    kind: MomentKind,
    first: number,
    values: Float32Array<ArrayBuffer>,
  ): Promise<void> {
    const moments = await this.#placed(parts, tensor);
    if (moments !== null) return parts.queue.write(moments[kind], values, first * 4);
    const size = this.#pieceElements;
    for (const [index, piece] of this.#outside.get(tensor.key)!.entries()) {
      const begin = Math.max(first, index * size);
      const end = Math.min(first + values.length, (index + 1) * size);
      if (begin >= end) continue;
      piece[kind] ??= zeros(this.#lengthOf(tensor, index));
      piece[kind].set(values.subarray(begin - first, end - first), begin - index * size);
    }
  }

  /** Takes all moments from the GPU to the worker's memory, where they stay from now on. */
  async leaveGpu(parts: EngineParts, tensors: readonly TrainedTensor[]): Promise<void> {
    this.#roomBytes = 0;
    for (const tensor of tensors) {
      const moments = this.#onGpu.get(tensor.key);
      if (moments === undefined) continue;
      const outside: Outside = [];
      for (let first = 0; first < tensor.count; first += this.#pieceElements) {
        const bytes = 4 * Math.min(this.#pieceElements, tensor.count - first);
        const values = async (kind: MomentKind) =>
          new Float32Array(await parts.queue.read(moments[kind], bytes, first * 4));
        outside.push({ first: await values('first'), second: await values('second') });
      }
      this.#outside.set(tensor.key, outside);
      this.#onGpu.delete(tensor.key);
      for (const kind of kinds) this.#release(moments[kind]);
      this.#gpuBytes -= 8 * tensor.count;
    }
  }

  close(): void {
    for (const buffer of [...this.#free.keys()]) this.#release(buffer);
    this.#onGpu.clear();
    this.#outside.clear();
    this.#gpuBytes = 0;
  }

  /** A tensor's moments on the GPU, zeros before its first step; null where they are outside. */
  async #placed({ buffers, context }: EngineParts, tensor: TrainedTensor): Promise<GpuMoments | null> {
    const { key, count } = tensor;
    const known = this.#onGpu.get(key);
    if (known !== undefined) return known;
    if (this.#outside.has(key)) return null;
    const { maxBufferSize, maxStorageBufferBindingSize } = context.device.limits;
    if (
      this.#gpuBytes + 8 * count > this.#roomBytes ||
      4 * count > Math.min(maxBufferSize, maxStorageBufferBindingSize)
    ) {
      const pieces = Math.ceil(count / this.#pieceElements);
      this.#outside.set(
        key,
        Array.from({ length: pieces }, () => ({ first: null, second: null })),
      );
      return null;
    }
    const make = async (kind: MomentKind): Promise<GPUBuffer> => {
      const buffer = await buffers.allocate(count * 4, `${kind} moment of ${key}`); // zeros, as all new buffers
      this.#free.set(buffer, () => buffers.free(buffer));
      return buffer;
    };
    const first = await make('first');
    try {
      const moments = { first, second: await make('second') };
      this.#onGpu.set(key, moments);
      this.#gpuBytes += 8 * count;
      return moments;
    } catch (thrown) {
      this.#release(first);
      throw thrown;
    }
  }

  #release(buffer: GPUBuffer): void {
    this.#free.get(buffer)?.();
    this.#free.delete(buffer);
  }

  #lengthOf({ count }: TrainedTensor, piece: number): number {
    return Math.min(this.#pieceElements, count - piece * this.#pieceElements);
  }
}

function zeros(count: number): Float32Array<ArrayBuffer> {
  try {
    return new Float32Array(count);
  } catch (thrown) {
    throw new LabError(
      'quota',
      `The training's moments: the worker has no memory for ${4 * count} more bytes.`,
      'Close other tabs, or train a smaller variant or low-rank factors.',
      { cause: thrown },
    );
  }
}
