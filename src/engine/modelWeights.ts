/**
 * @file A model's weights on the GPU, in their stored type.
 *
 * Projections that read the same input lie behind one another in one buffer (q, k, v; gate, up), so that one launch
 * serves them. Norms are float32. An embedding or head beyond what one binding holds is split by vocabulary rows.
 */
import { LabError, throwIfAborted } from '../errors';
import {
  type LayerRole,
  type LayerShape,
  layerRoles,
  layerWeightDims,
  type ModelRole,
  type ModelShape,
  modelRoles,
  modelWeightDims,
} from '../model/shape';
import { bytesPerElement, type StoredDtype, type TensorRef, type WeightSource } from '../model/weights';
import { bf16ToF32, f16ToF32 } from '../numerics/half';
import type { TaskOptions } from '../task';
import { type Buffers, roundUp } from './buffers';
import type { GpuContext } from './device';

/** A matrix [rows, inner] on the GPU, padded with zeros to 16 bytes. */
export interface GpuMatrix {
  readonly buffer: GPUBuffer;
  readonly dtype: StoredDtype;
  readonly rows: number;
  readonly inner: number;
}

/** Vocabulary rows first … first + rows of the embedding or the head. */
export interface VocabPart extends GpuMatrix {
  readonly first: number;
}

/** Weights of a block; a sub-block that the checkpoint's block lacks is null. */
export interface BlockWeights {
  readonly shape: LayerShape;
  /** qkv [(heads + 2·kvHeads)·headDim, hidden], out [hidden, heads·headDim] */
  readonly attention: { readonly norm: GPUBuffer; readonly qkv: GpuMatrix; readonly out: GpuMatrix } | null;
  /** gateUp [2·ffn, hidden], down [hidden, ffn] */
  readonly mlp: { readonly norm: GPUBuffer; readonly gateUp: GpuMatrix; readonly down: GpuMatrix } | null;
}

export interface ModelWeights {
  readonly embed: readonly VocabPart[];
  /** The same parts as `embed` when the head is tied. */
  readonly head: readonly VocabPart[];
  readonly finalNorm: GPUBuffer;
  /** By `LayerShape.source`. */
  readonly blocks: ReadonlyMap<number, BlockWeights>;
}

interface Stored {
  readonly dtype: StoredDtype;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Reads every weight of the shape and puts it on the GPU. */
export async function uploadWeights(
  context: GpuContext,
  buffers: Buffers,
  shape: ModelShape,
  weights: WeightSource,
  { signal, onProgress, vocabPartBytes }: TaskOptions & { vocabPartBytes?: number },
): Promise<ModelWeights> {
  const { maxBufferSize, maxStorageBufferBindingSize } = context.device.limits;
  const partBytes = vocabPartBytes ?? Math.min(maxBufferSize, maxStorageBufferBindingSize);
  const upload = new Upload(context, buffers, weights, signal);
  const total = totalBytes(shape, weights);
  const report = (): void => onProgress?.({ stage: 'upload', done: upload.read, total, unit: 'bytes' });

  const embed = await upload.vocabulary(shape, 'embed', partBytes);
  report();
  const head = shape.tiedHead ? embed : await upload.vocabulary(shape, 'lmHead', partBytes);
  const finalNorm = await upload.norm('finalNorm', await upload.model(shape, 'finalNorm'));
  report();
  const blocks = new Map<number, BlockWeights>();
  for (const layer of shape.layers) {
    if (!blocks.has(layer.source)) blocks.set(layer.source, await uploadBlock(upload, shape, layer));
    report();
  }
  return { embed, head, finalNorm, blocks };
}

async function uploadBlock(upload: Upload, shape: ModelShape, layer: LayerShape): Promise<BlockWeights> {
  const { hidden } = shape;
  const { heads, kvHeads, headDim, ffn } = layer;
  const read = (role: LayerRole): Promise<Stored> => upload.layer(shape, layer, role);
  const label = (role: string): string => `${role} of block ${layer.source}`;
  return {
    shape: layer,
    attention:
      heads === 0
        ? null
        : {
            norm: await upload.norm(label('attnNorm'), await read('attnNorm')),
            qkv: await upload.matrix(
              label('qkv'),
              [await read('qProj'), await read('kProj'), await read('vProj')],
              (heads + 2 * kvHeads) * headDim,
              hidden,
            ),
            out: await upload.matrix(label('oProj'), [await read('oProj')], hidden, heads * headDim),
          },
    mlp:
      ffn === 0
        ? null
        : {
            norm: await upload.norm(label('mlpNorm'), await read('mlpNorm')),
            gateUp: await upload.matrix(
              label('gateUp'),
              [await read('gateProj'), await read('upProj')],
              2 * ffn,
              hidden,
            ),
            down: await upload.matrix(label('downProj'), [await read('downProj')], hidden, ffn),
          },
  };
}

/** The way of one upload: what was read so far, and the steps that every weight takes. */
class Upload {
  /** Bytes read from the source. */
  read = 0;
  readonly #context: GpuContext;
  readonly #buffers: Buffers;
  readonly #weights: WeightSource;
  readonly #signal: AbortSignal | undefined;

  constructor(context: GpuContext, buffers: Buffers, weights: WeightSource, signal: AbortSignal | undefined) {
    this.#context = context;
    this.#buffers = buffers;
    this.#weights = weights;
    this.#signal = signal;
  }

  layer(shape: ModelShape, layer: LayerShape, role: LayerRole): Promise<Stored> {
    const tensor = this.#weights.layerTensor(role, layer.source);
    return this.#stored(tensor, layerWeightDims(shape, layer, role), `${role} of block ${layer.source}`);
  }

  model(shape: ModelShape, role: ModelRole): Promise<Stored> {
    return this.#stored(this.#weights.modelTensor(role), modelWeightDims(shape, role), role);
  }

  /** A norm's weight as float32. */
  async norm(label: string, stored: Stored): Promise<GPUBuffer> {
    return this.#put(label, [toF32(stored).bytes]);
  }

  /** Tensors behind one another in one buffer: [rows, inner]. Different types become float32. */
  async matrix(label: string, parts: readonly Stored[], rows: number, inner: number): Promise<GpuMatrix> {
    const dtype = parts[0]!.dtype;
    const same = parts.every((part) => part.dtype === dtype);
    const pieces = same ? parts : parts.map(toF32);
    const buffer = await this.#put(
      label,
      pieces.map((piece) => piece.bytes),
    );
    return { buffer, dtype: same ? dtype : 'F32', rows, inner };
  }

  /** The embedding or the head, in parts of at most `partBytes`. */
  async vocabulary(shape: ModelShape, role: 'embed' | 'lmHead', partBytes: number): Promise<VocabPart[]> {
    const { vocab, hidden } = shape;
    const { dtype, bytes } = await this.model(shape, role);
    const rowBytes = hidden * bytesPerElement[dtype];
    // Multiples of 8 rows keep every part at a whole number of 16 bytes.
    const most = Math.floor(partBytes / rowBytes / 8) * 8;
    const step = Math.max(most, 8);
    const parts: VocabPart[] = [];
    for (let first = 0; first < vocab; first += step) {
      const rows = Math.min(step, vocab - first);
      const slice = bytes.subarray(first * rowBytes, (first + rows) * rowBytes);
      parts.push({ buffer: await this.#put(role, [slice]), dtype, rows, inner: hidden, first });
    }
    return parts;
  }

  async #stored(tensor: TensorRef, dims: readonly number[], where: string): Promise<Stored> {
    throwIfAborted(this.#signal, 'Loading the weights');
    if (tensor.dims.join() !== dims.join()) {
      throw new LabError(
        'bad-weights',
        `${where} (${tensor.name}): expected [${dims.join(', ')}], got [${tensor.dims.join(', ')}].`,
        'Are config.json and the weights of the same revision?',
      );
    }
    const bytes = await this.#weights.read(tensor, this.#signal);
    const expected = dims.reduce((a, b) => a * b, 1) * bytesPerElement[tensor.dtype];
    if (bytes.byteLength !== expected) {
      throw new LabError(
        'bad-weights',
        `${where} (${tensor.name}): expected ${expected} bytes of ${tensor.dtype}, got ${bytes.byteLength}.`,
        'Forget this model and load it again.',
      );
    }
    this.read += bytes.byteLength;
    return { dtype: tensor.dtype, bytes };
  }

  async #put(label: string, pieces: readonly Uint8Array<ArrayBuffer>[]): Promise<GPUBuffer> {
    const { device } = this.#context;
    const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    const buffer = await this.#buffers.allocate(size, label);
    // Pieces of odd length meet inside a word, and a write takes whole words: join them first.
    const whole = pieces.length === 1 && size % 4 === 0 ? pieces[0]! : join(pieces, roundUp(size, 16));
    device.queue.writeBuffer(buffer, 0, whole);
    await Promise.race([device.queue.onSubmittedWorkDone(), this.#context.lost]);
    if (this.#context.failure !== null) throw this.#context.failure;
    return buffer;
  }
}

function join(pieces: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

function toF32({ dtype, bytes }: Stored): Stored {
  if (dtype === 'F32') return { dtype, bytes };
  const bits = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const values = dtype === 'F16' ? f16ToF32(bits) : bf16ToF32(bits);
  return { dtype: 'F32', bytes: new Uint8Array(values.buffer) };
}

function totalBytes(shape: ModelShape, weights: WeightSource): number {
  const size = ({ begin, end }: TensorRef): number => end - begin;
  const outside = modelRoles(shape).map((role) => size(weights.modelTensor(role)));
  const sources = new Map(shape.layers.map((layer) => [layer.source, layer]));
  const blocks = [...sources.values()].flatMap((layer) =>
    layerRoles(layer).map((role) => size(weights.layerTensor(role, layer.source))),
  );
  return [...outside, ...blocks].reduce((a, b) => a + b, 0);
}
