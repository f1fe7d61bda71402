/**
 * @file Uploads weights from a source to GPU buffers, in pieces, so that neither the worker's memory nor the browser's staging
 * memory ever holds a whole matrix. Counts values that are not finite as they pass.
 */
import { LabError, throwIfAborted } from '../../errors';
import { findingsOf, type WeightFindings } from '../../model/finiteWeights';
import { type LayerRole, layerWeightDims, type ModelRole, type ModelShape, modelWeightDims } from '../../model/shape';
import {
  bytesPerElement,
  partOfTensor,
  type StoredDtype,
  type TensorRef,
  type WeightSource,
} from '../../model/weights';
import { bf16ToF32, f16ToF32 } from '../../numerics/float16';
import type { GpuContext } from '../gpu/device';
import type { BlockLayout, PartLayout } from './blockLayout';

/** Stored bytes that are read at a time; whole elements of every type. */
const pieceBytes = 2 ** 24;
/** Bytes that may wait in the browser's staging memory for the GPU. */
const stagedBytes = 2 ** 26;

/** A weight of the model: where it is stored, and its name in messages. */
interface Weight {
  readonly tensor: TensorRef;
  readonly where: string;
}

export class WeightUpload {
  /** Bytes read from the source so far. */
  read = 0;
  readonly #context: GpuContext;
  readonly #shape: ModelShape;
  readonly #weights: WeightSource;
  readonly #findings: WeightFindings;
  #staged = 0;

  constructor(context: GpuContext, shape: ModelShape, weights: WeightSource) {
    this.#context = context;
    this.#shape = shape;
    this.#weights = weights;
    this.#findings = findingsOf(weights);
  }

  /** Writes a part of a block, its weights one after the other. `stop` is called between pieces and throws to stop the upload. */
  async part(part: PartLayout, layout: BlockLayout, buffer: GPUBuffer, stop: () => void): Promise<void> {
    const writer = new Writer(this.#context, buffer);
    for (const role of part.roles) {
      const weight = this.#layerWeight(role, layout);
      await this.#send(weight, 0, weight.tensor.end - weight.tensor.begin, part.dtype, writer, stop);
    }
    await this.#written(writer.finish());
  }

  /** Writes elements [first, first + count) of a weight outside the blocks, in the given type. */
  async model(
    role: ModelRole,
    range: { first: number; count: number; dtype: StoredDtype },
    buffer: GPUBuffer,
    stop: () => void,
  ): Promise<void> {
    const weight = this.modelWeight(role);
    const size = bytesPerElement[weight.tensor.dtype];
    const [begin, end] = [range.first * size, (range.first + range.count) * size];
    const writer = new Writer(this.#context, buffer);
    await this.#send(weight, begin, end, range.dtype, writer, stop);
    await this.#written(writer.finish());
  }

  /** Where a weight outside the blocks is stored. Checks its dimensions. Throws 'bad-weights'. */
  modelWeight(role: ModelRole): Weight {
    return checked(this.#weights.modelTensor(role), modelWeightDims(this.#shape, role), role);
  }

  #layerWeight(role: LayerRole, { shape: layer }: BlockLayout): Weight {
    const dims = layerWeightDims(this.#shape, layer, role);
    return checked(this.#weights.layerTensor(role, layer.source), dims, `${role} of block ${layer.source}`);
  }

  /** Sends bytes from … to − 1 of a weight. */
  async #send(
    { tensor, where }: Weight,
    from: number,
    to: number,
    dtype: StoredDtype,
    writer: Writer,
    stop: () => void,
  ): Promise<void> {
    for (let begin = from; begin < to; begin += pieceBytes) {
      stop();
      const end = Math.min(to, begin + pieceBytes);
      const bytes = await this.#weights.read(partOfTensor(tensor, begin, end));
      if (bytes.byteLength !== end - begin) {
        throw new LabError(
          'bad-weights',
          `${where} (${tensor.name}): expected ${end - begin} bytes of ${tensor.dtype} from byte ${begin} on, got ${bytes.byteLength}.`,
          'Forget this model and load it again.',
        );
      }
      stop();
      this.read += bytes.byteLength;
      this.#findings.look(tensor, bytes, begin / bytesPerElement[tensor.dtype]);
      await this.#written(writer.write(bytesAs(bytes, tensor, dtype)));
    }
  }

  /** Counts bytes that were written to the device's queue; waits for the GPU when many are on their way. */
  async #written(bytes: number): Promise<void> {
    this.#staged += bytes;
    if (this.#staged >= stagedBytes) await this.settle();
    if (this.#context.failure !== null) throw this.#context.failure;
  }

  /** Waits until the GPU has received everything written so far. */
  async settle(): Promise<void> {
    this.#staged = 0;
    await Promise.race([this.#context.device.queue.onSubmittedWorkDone(), this.#context.lost]);
    if (this.#context.failure !== null) throw this.#context.failure;
  }
}

/** A `stop` that throws when the signal has fired. */
export const stopBy =
  (signal: AbortSignal | undefined): (() => void) =>
  () =>
    throwIfAborted(signal, 'Loading the weights');

/** Fills a buffer from its start. The device's queue takes whole words, so up to three bytes wait for the next ones. */
class Writer {
  readonly #context: GpuContext;
  readonly #buffer: GPUBuffer;
  #rest = new Uint8Array(0);
  #at = 0;

  constructor(context: GpuContext, buffer: GPUBuffer) {
    this.#context = context;
    this.#buffer = buffer;
  }

  /** Returns how many bytes were written to the device's queue. */
  write(bytes: Uint8Array<ArrayBuffer>): number {
    if (this.#rest.length === 0 && bytes.length % 4 === 0) return this.#put(bytes);
    const joined = new Uint8Array(this.#rest.length + bytes.length);
    joined.set(this.#rest);
    joined.set(bytes, this.#rest.length);
    const whole = joined.length - (joined.length % 4);
    this.#rest = joined.slice(whole);
    return this.#put(joined.subarray(0, whole));
  }

  /** Writes the remaining bytes, padded with zeros. */
  finish(): number {
    if (this.#rest.length === 0) return 0;
    const padded = new Uint8Array(4);
    padded.set(this.#rest);
    this.#rest = new Uint8Array(0);
    return this.#put(padded);
  }

  #put(bytes: Uint8Array<ArrayBuffer>): number {
    if (bytes.length > 0) this.#context.device.queue.writeBuffer(this.#buffer, this.#at, bytes);
    this.#at += bytes.length;
    return bytes.length;
  }
}

function checked(tensor: TensorRef, dims: readonly number[], where: string): Weight {
  if (tensor.dims.join() !== dims.join()) {
    throw new LabError(
      'bad-weights',
      `${where} (${tensor.name}): expected [${dims.join(', ')}], got [${tensor.dims.join(', ')}].`,
      'Are config.json and the weights of the same revision?',
    );
  }
  const expected = dims.reduce((a, b) => a * b, 1) * bytesPerElement[tensor.dtype];
  if (tensor.end - tensor.begin !== expected) {
    throw new LabError(
      'bad-weights',
      `${where} (${tensor.name}): expected ${expected} bytes of ${tensor.dtype}, got ${tensor.end - tensor.begin}.`,
      'Forget this model and load it again.',
    );
  }
  return { tensor, where };
}

/** Stored bytes in the type that the GPU holds: the stored one, or F32. Throws 'bad-weights' for another. */
function bytesAs(bytes: Uint8Array<ArrayBuffer>, tensor: TensorRef, held: StoredDtype): Uint8Array<ArrayBuffer> {
  const { dtype, name } = tensor;
  if (dtype === held) return bytes;
  if (held !== 'F32') {
    throw new LabError(
      'bad-weights',
      `${name}: expected elements of ${held}, as when the model was opened, got ${dtype}.`,
      'Load the model again.',
    );
  }
  const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const values = dtype === 'F16' ? f16ToF32(bits) : bf16ToF32(bits);
  return new Uint8Array(values.buffer);
}
