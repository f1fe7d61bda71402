/** @file Blocks that a view writes on the GPU: they come back to the view whole, and no other view sees them. */
import { beforeAll, expect, test } from 'vitest';
import { type LayerRole, layerRoles } from '../../model/shape';
import type { ModelView, WrittenPiece } from '../../model/view';
import { type StoredDtype, type TensorRef, toFloat32, type WeightSource } from '../../model/weights';
import { Buffers } from '../gpu/buffers';
import { CommandQueue } from '../gpu/commandQueue';
import type { GpuContext } from '../gpu/device';
import { sharedTestDevice } from '../testing/harness';
import { block, noAttention, randomModel, tinyShape } from '../testing/testWeights';
import { BlockTransfer } from './blockTransfer';
import type { BlockWeights } from './gpuWeights';
import { WeightMemory } from './modelWeights';
import { writtenPieces } from './writeBack';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

/** Sizes of an odd number of elements, so that roles begin between words. */
const shape = tinyShape([
  block(0, { biases: ['qBias', 'vBias', 'downBias'], ffn: 43 }),
  block(1, { qkNorm: 'head', headDim: 6 }),
  block(2, noAttention),
  block(3, { normPlacement: 'both', ffn: 45 }),
]);

/** Weights in memory that pieces may replace. */
class Overlay implements WeightSource {
  readonly #base: WeightSource;
  readonly written = new Map<string, { ref: TensorRef; bytes: Uint8Array<ArrayBuffer> }>();

  constructor(base: WeightSource) {
    this.#base = base;
  }

  layerTensor(role: LayerRole, source: number): TensorRef {
    return this.written.get(`${role} ${source}`)?.ref ?? this.#base.layerTensor(role, source);
  }

  modelTensor: WeightSource['modelTensor'] = (role) => this.#base.modelTensor(role);
  file: WeightSource['file'] = (name) => this.#base.file(name);

  async read(ref: TensorRef): Promise<Uint8Array<ArrayBuffer>> {
    return this.written.get(ref.file)?.bytes.slice(ref.begin, ref.end) ?? this.#base.read(ref);
  }

  async writeBack(source: number, pieces: AsyncIterable<WrittenPiece>): Promise<void> {
    const parts = new Map<LayerRole, { piece: WrittenPiece; bytes: number[] }>();
    for await (const piece of pieces) {
      const part = parts.get(piece.role) ?? { piece, bytes: [] };
      expect(piece.begin).toBe(part.bytes.length);
      part.bytes.push(...piece.bytes);
      parts.set(piece.role, part);
    }
    for (const [role, { piece, bytes }] of parts) {
      const name = `${role} ${source}`;
      const { dtype, dims } = piece;
      const ref = { name, dtype, dims, file: name, begin: 0, end: bytes.length };
      this.written.set(name, { ref, bytes: Uint8Array.from(bytes) });
    }
  }
}

/** The buffers of a block's weights, in one order. */
const buffersOf = ({ attention, mlp }: BlockWeights): GPUBuffer[] =>
  [
    attention?.norm,
    attention?.qkv.matrix.buffer,
    attention?.qkv.bias?.buffer,
    attention?.headNorms,
    attention?.out.matrix.buffer,
    attention?.postNorm,
    mlp?.norm,
    mlp?.gateUp.matrix.buffer,
    mlp?.down.matrix.buffer,
    mlp?.down.bias?.buffer,
    mlp?.postNorm,
  ].filter((buffer) => buffer != null);

async function valuesOf(weights: WeightSource, ref: TensorRef): Promise<Float32Array> {
  return toFloat32(await weights.read(ref), ref.dtype);
}

test.each(['F16', 'F32'] as const)(
  '%s: blocks written in two slots are the view’s, bit for bit, and the base keeps its own',
  async (dtype) => {
    const buffers = new Buffers(context);
    const memory = new WeightMemory(context, buffers, { weightBytes: 1 });
    const model = randomModel(shape, dtype);
    const target = randomModel(shape, dtype, 2);
    const renamed = (ref: TensorRef): TensorRef => ({ ...ref, file: 'target' });
    const targetWeights: WeightSource = {
      ...target.weights,
      layerTensor: (role, source) => renamed(target.weights.layerTensor(role, source)),
    };
    const overlay = new Overlay(model.weights);
    const trained: ModelView = {
      id: 'trained',
      shape,
      weights: overlay,
      writeBack: (...all) => overlay.writeBack(...all),
    };
    const queues = [new CommandQueue(context), new CommandQueue(context)] as const;
    const base = await memory.open({ id: 'base', shape, weights: model.weights }, {});
    const writer = (await memory.open(trained, {})).blocks;
    const from = await memory.open({ id: 'target', shape, weights: targetWeights }, {});
    const [read, write, check] = [
      from.blocks.reader(queues[0]),
      writer.reader(queues[1]),
      base.blocks.reader(queues[0]),
    ];
    expect(memory.blocks.use()).toMatchObject({ blocks: 8, slots: 2 });
    for (const { source } of shape.layers) {
      const values = buffersOf(await read.at(source));
      const written = buffersOf(await write.writable(source));
      written.forEach((buffer, index) => {
        queues[1].copy(values[index]!, 0, buffer, 0, buffer.size);
      });
      await queues[1].submit(); // before the other reader lets go of what was copied
    }
    read.end();
    write.end();
    await writer.flush();
    for (const layer of shape.layers) {
      for (const role of layerRoles(layer)) {
        const ref = overlay.layerTensor(role, layer.source);
        expect(ref.dims).toEqual(model.weights.layerTensor(role, layer.source).dims);
        const expected = target.weights.layerTensor(role, layer.source);
        expect(await valuesOf(overlay, ref), ref.name).toEqual(await valuesOf(target.weights, expected));
      }
    }
    // What was written back goes up again, and what the base has is what it had.
    for (const [reader, source] of [
      [write, targetWeights],
      [check, model.weights],
    ] as const) {
      for (const layer of shape.layers) {
        const { mlp } = await reader.at(layer.source);
        const bytes = new Uint8Array(
          await queues[0].read(mlp!.down.matrix.buffer, 4 * Math.floor((layer.ffn * 32) / 2 / 2)),
        );
        const stored = await source.read(source.layerTensor('downProj', layer.source));
        expect(bytes).toEqual(stored.slice(0, bytes.length));
      }
      reader.end();
    }
    for (const queue of queues) queue.dispose();
    buffers.dispose();
  },
);

test('pieces of a few bytes are those of the whole, wherever roles and pieces begin', async () => {
  const buffers = new Buffers(context);
  const memory = new WeightMemory(context, buffers, {});
  const { weights } = randomModel(shape, 'F16');
  const { blocks } = await memory.open({ id: 'base', shape, weights }, {});
  const queue = new CommandQueue(context);
  const at = await blocks.reader(queue).at(0);
  const layout = blocks.layouts.get(0)!;
  const found = new Map<string, number[]>();
  const transfer = new BlockTransfer(context, buffers);
  for await (const { role, begin, bytes } of writtenPieces(shape, layout, buffersOf(at), transfer, 1000)) {
    expect(bytes.length).toBeLessThanOrEqual(1000);
    expect(begin).toBe((found.get(role) ?? []).length);
    found.set(role, [...(found.get(role) ?? []), ...bytes]);
  }
  for (const role of layerRoles(layout.shape)) {
    const ref = weights.layerTensor(role, 0);
    const held: StoredDtype = ref.dims.length === 1 ? 'F32' : 'F16';
    const bytes = Uint8Array.from(found.get(role)!);
    expect(toFloat32(bytes, held), role).toEqual(await valuesOf(weights, ref));
  }
  queue.dispose();
  buffers.dispose();
});
