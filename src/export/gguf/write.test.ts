/** @file GGUF files read back by another reader; which variants are refused. */
import { expect, test } from 'vitest';
import { readCheckpointFolder } from '../../benchmark/testing/checkpointFolder';
import { type LayerShape, layerWeightDims, type ModelShape, modelWeightDims } from '../../model/shape';
import type { TensorRef, WeightSource } from '../../model/weights';
import { f16ToNumber } from '../../numerics/float16';
import { randomModel, tinyShape } from '../../onnx/testing/randomModel';
import { counting } from '../../weights/testing/countingSource';
import { type ExportDtype, type ExportedFile, pieceBytes } from '../exported';
import { type ReadFile, readGguf } from '../testing/ggufFile';
import { bytesOfFile } from '../testing/llamaCpp';
import { namedTokens } from '../testing/modelVocabulary';
import { gguf } from './format';
import { isRefusal, layoutOf } from './layout';
import { sizes } from './metadata';
import { interleave } from './pieces';
import { ggufFile } from './write';

const tinyModel = { shape: tinyShape([[4, 2, 8, 40]]) };

type Model = Pick<ReturnType<typeof randomModel>, 'shape' | 'weights'>;

function fileOf({ shape, weights }: Model, dtype: ExportDtype = 'f32'): ExportedFile {
  const layout = layoutOf(shape);
  if (isRefusal(layout)) throw new Error(layout.message);
  return ggufFile('model.gguf', [...sizes(shape, layout), ...namedTokens(shape.vocab)], {
    shape,
    weights,
    layout,
    dtype,
  });
}

async function read(model: Model, dtype?: ExportDtype): Promise<ReadFile & { bytes: Uint8Array<ArrayBuffer> }> {
  const file = fileOf(model, dtype);
  const bytes = new Uint8Array(await (await bytesOfFile(file)).arrayBuffer());
  expect(bytes.byteLength).toBe(file.bytes);
  return { ...readGguf(bytes), bytes };
}

const f32At = ({ bytes, tensors }: { bytes: Uint8Array<ArrayBuffer>; tensors: ReadFile['tensors'] }, name: string) => {
  const { begin, dims } = tensors.get(name)!;
  return new Float32Array(
    bytes.buffer,
    begin,
    dims.reduce((product, dim) => product * dim, 1),
  );
};

/** The lists of an uneven model, with a stand-in for what is missing. */
test('uneven: lists of sizes, zeros in place of what may not be missing', async () => {
  const layers = [
    [0, 0, 8, 40],
    [4, 2, 8, 0],
    [0, 0, 8, 33],
    [6, 3, 8, 50],
    [0, 0, 8, 0],
  ];
  const found = await read(randomModel(tinyShape(layers)));
  expect(found.version).toBe(3);
  const value = (key: string): unknown => found.pairs.get(`deci.${key}`);
  expect(value('block_count')).toBe(4);
  expect(value('attention.head_count')).toEqual([1, 4, 0, 6]);
  expect(value('attention.head_count_kv')).toEqual([1, 2, 0, 3]);
  expect(value('feed_forward_length')).toEqual([40, 32, 33, 50]);
  for (const key of ['attention.key_length', 'attention.value_length', 'rope.dimension_count']) {
    expect(value(key)).toBe(8);
  }
  const zero = ['attn_q', 'attn_k', 'attn_v', 'attn_output'].map((name) => f32At(found, `blk.0.${name}.weight`));
  expect(zero.map(({ length }) => length)).toEqual([256, 256, 256, 256]);
  const empty = ['ffn_gate', 'ffn_up', 'ffn_down'].map((name) => f32At(found, `blk.1.${name}.weight`));
  expect([...zero, ...empty].every((values) => values.every((each) => each === 0))).toBe(true);
  expect(f32At(found, 'blk.1.ffn_norm.weight').every((each) => each === 1)).toBe(true);
  expect(found.tensors.has('blk.2.attn_q.weight')).toBe(false);
  expect(found.tensors.has('output.weight')).toBe(false);
  for (const { begin } of found.tensors.values()) expect(begin % 32).toBe(0);
});

test('rows of queries and keys are put into neighbouring pairs, values are not', async () => {
  const model = randomModel(tinyShape([[4, 2, 8, 64]]));
  const found = await read(model);
  const stored = model.reference.layers[0]!;
  const width = model.shape.hidden;
  for (const [name, weights] of [
    ['attn_q', stored.qProj!],
    ['attn_k', stored.kProj!],
  ] as const) {
    const rows = f32At(found, `blk.0.${name}.weight`);
    // Row 2i of a head was its row i, row 2i + 1 its row i + 4.
    for (const [now, before] of [
      [0, 0],
      [1, 4],
      [2, 1],
      [7, 7],
      [8, 8],
      [11, 13],
    ] as const) {
      expect([...rows.subarray(now * width, (now + 1) * width)]).toEqual(
        [...weights].slice(before * width, (before + 1) * width),
      );
    }
  }
  expect([...f32At(found, 'blk.0.attn_v.weight')]).toEqual([...stored.vProj!]);
  expect([...interleave(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7), 4, 1)]).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
});

test('q8_0: weights within half a step; rows that fill no blocks stay f16; vectors are f32', async () => {
  const model = randomModel(tinyShape([[4, 2, 8, 40]]), 'BF16');
  const { bytes, tensors } = await read(model, 'q8_0');
  const typeOf = (name: string): number => tensors.get(name)!.type;
  expect([typeOf('token_embd.weight'), typeOf('blk.0.attn_output.weight')]).toEqual([8, 8]);
  expect([typeOf('blk.0.ffn_down.weight'), typeOf('blk.0.ffn_norm.weight')]).toEqual([1, 0]);
  const view = new DataView(bytes.buffer);
  const { begin } = tensors.get('blk.0.ffn_gate.weight')!;
  const weights = model.reference.layers[0]!.gateProj!;
  for (let i = 0; i < weights.length; i += 1) {
    const block = begin + 34 * Math.floor(i / 32);
    const scale = f16ToNumber(view.getUint16(block, true));
    const value = scale * view.getInt8(block + 2 + (i % 32));
    // Half a step, and what the rounding of the scale to f16 adds to 127 of them.
    expect(Math.abs(value - weights[i]!)).toBeLessThan(scale * (0.5 + 127 * 2 ** -11) + 1e-9);
  }
  expect(gguf.runsIn({ shape: model.shape } as never)).toContain('1 matrix stays f16');
});

test('f16: the stored values, to the nearest', async () => {
  const model = randomModel(tinyShape([[4, 2, 8, 40]]), 'F32');
  const { bytes, tensors } = await read(model, 'f16');
  const { begin, type } = tensors.get('blk.0.ffn_up.weight')!;
  expect(type).toBe(1);
  const view = new DataView(bytes.buffer);
  for (const [i, weight] of [...model.reference.layers[0]!.upProj!].entries()) {
    const found = f16ToNumber(view.getUint16(begin + 2 * i, true));
    expect(Math.abs(found - weight)).toBeLessThanOrEqual(2 ** -11 * Math.abs(weight) + 2 ** -25);
  }
});

/** Weights of one value, by its 16 bits as a bfloat16. */
function constantWeights(shape: ModelShape, bits: number): WeightSource {
  const ref = (name: string, dims: number[]): TensorRef => ({
    ...{ name, dims, dtype: 'BF16', file: 'x', begin: 0 },
    end: 2 * dims.reduce((product, dim) => product * dim, 1),
  });
  return {
    layerTensor: (role, source) => ref(role, layerWeightDims(shape, shape.layers[source]!, role)),
    modelTensor: (role) => ref(role, modelWeightDims(shape, role)),
    read: async ({ begin, end }) => new Uint8Array(new Uint16Array((end - begin) / 2).fill(bits).buffer),
    file: async () => new Blob(),
  };
}

test('weights are read piece by piece', async () => {
  const shape = tinyShape([[8, 8, 64, 3000]], { hidden: 1024 });
  const counted = counting(constantWeights(shape, 0x3f80));
  let [made, largest] = [0, 0];
  const file = fileOf({ shape, weights: counted.weights }, 'f32');
  expect(counted.bytes).toBe(0);
  for await (const piece of file.pieces()) {
    made += piece.byteLength;
    largest = Math.max(largest, piece.byteLength);
  }
  expect(made).toBe(file.bytes);
  expect([largest, counted.largest]).toEqual([pieceBytes, pieceBytes / 2]);
  const stopped = file.pieces(AbortSignal.abort())[Symbol.asyncIterator]();
  await expect(stopped.next()).rejects.toThrow('cancelled');
});

test('values beyond f16 are refused', async () => {
  const { shape } = tinyModel;
  const file = fileOf({ shape, weights: constantWeights(shape, 0x7f00) }, 'f16');
  await expect(bytesOfFile(file)).rejects.toThrow('token_embd.weight: expected values that are finite in f16');
});

const fixture = (name: string): ModelShape => readCheckpointFolder(`tools/golden/fixtures/${name}`).shape;
const changed = (shape: ModelShape, change: Partial<LayerShape>, which = 0): ModelShape => ({
  ...shape,
  layers: shape.layers.map((layer, index) => (index === which ? { ...layer, ...change } : layer)),
});

test.each<[string, ModelShape, string]>([
  ['a sliding window', fixture('tiny-mistral'), 'no sliding window'],
  ['windows in some blocks', fixture('tiny-qwen2'), 'no sliding window'],
  ['YaRN beside norms of queries', fixture('tiny-qwen3'), "stretched by 'yarn'"],
  ['caps', fixture('tiny-gemma2'), 'no soft cap'],
  ['Gemma 3', fixture('tiny-gemma3'), 'no sliding window'],
  ['wide heads of OLMo 2', fixture('tiny-olmo2'), 'as wide as the hidden state'],
  ['uneven Gemma', changed(fixture('tiny-gemma'), { ffn: 20 }), "in the architecture 'gemma'"],
  ['biases of Gemma', changed(fixture('tiny-gemma'), { biases: ['oBias'] }), 'no oBias'],
  ['nothing', tinyShape([[0, 0, 8, 0]]), '1 to 512 blocks'],
])('%s is refused', (_, shape, reason) => {
  const refusal = gguf.refusal({ shape } as never);
  expect(refusal?.message).toContain(reason);
  expect(refusal?.remedy).not.toBe('');
});

test('a window as long as the context is none', () => {
  expect(gguf.refusal({ shape: changed(tinyShape([[4, 2, 8, 64]]), { window: 128 }) } as never)).toBeNull();
});

test('biases of queries in narrow heads: which releases run them is said', () => {
  const narrow = changed(tinyShape([[2, 1, 8, 64]]), { biases: ['qBias'] });
  expect(gguf.runsIn({ shape: narrow } as never)).toContain('b8948');
  expect(gguf.runsIn({ shape: changed(narrow, { biases: ['oBias'] }) } as never)).not.toContain('b8948');
});
