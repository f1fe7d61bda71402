import { expect, test } from 'vitest';
import { f32ToBf16, f32ToF16 } from '../numerics/float16';
import { findingsOf, nonFiniteAmong, refuseNonFiniteWeights, WeightFindings } from './finiteWeights';
import type { ModelShape } from './shape';
import type { StoredDtype, TensorRef, WeightSource } from './weights';

const bytesOf = (values: readonly number[], dtype: StoredDtype): Uint8Array<ArrayBuffer> => {
  const floats = Float32Array.from(values);
  if (dtype === 'F32') return new Uint8Array(floats.buffer);
  return new Uint8Array((dtype === 'F16' ? f32ToF16(floats) : f32ToBf16(floats)).buffer);
};
const tensorOf = (name: string, dims: number[], dtype: StoredDtype, begin = 0): TensorRef => {
  const elements = dims.reduce((a, b) => a * b, 1);
  return { name, dtype, dims, file: 'model.safetensors', begin, end: begin + elements * (dtype === 'F32' ? 4 : 2) };
};
const missing = (): never => {
  throw new Error('no weights');
};
const noWeights: WeightSource = { layerTensor: missing, modelTensor: missing, read: missing, file: missing };
const dtypes = ['F32', 'F16', 'BF16'] as const;

test.each(dtypes)('%s: infinities and NaN are found at every place, the largest finite value is none', (dtype) => {
  const largest = { F32: 3.4028234663852886e38, F16: 65504, BF16: 3.3895313892515355e38 }[dtype];
  for (const length of [1, 2, 3, 8, 9, 8193, 16_385]) {
    const values = new Array<number>(length).fill(largest).map((value, i) => (i % 2 === 0 ? value : -value));
    expect(nonFiniteAmong(bytesOf(values, dtype), dtype)).toEqual({ count: 0, places: [] });
    for (const at of [0, 1, length >> 1, length - 1]) {
      if (at >= length) continue;
      for (const bad of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]) {
        const broken = values.with(at, bad);
        expect(nonFiniteAmong(bytesOf(broken, dtype), dtype)).toEqual({ count: 1, places: [at] });
      }
    }
  }
});

test('a NaN of any payload and sign is one, smallest and negative zero are not', () => {
  const words = Uint32Array.of(0x7f800001, 0xffffffff, 0x00000001, 0x80000000, 0x7f7fffff, 0xff800000);
  expect(nonFiniteAmong(new Uint8Array(words.buffer), 'F32').places).toEqual([0, 1, 5]);
  const halves = Uint16Array.of(0x7c01, 0xfc00, 0x7bff, 0x8000, 0xffff);
  expect(nonFiniteAmong(new Uint8Array(halves.buffer), 'F16').places).toEqual([0, 1, 4]);
  // As a bfloat16 0x7c01 is an ordinary number.
  expect(nonFiniteAmong(new Uint8Array(halves.buffer), 'BF16').places).toEqual([4]);
});

test('bytes that begin in the middle of a word, and an odd number of halves', () => {
  const all = bytesOf([1, Number.NaN, 2, Number.POSITIVE_INFINITY], 'F16');
  expect(nonFiniteAmong(all.subarray(2), 'F16').places).toEqual([0, 2]);
  expect(nonFiniteAmong(all.subarray(4), 'F16').places).toEqual([1]);
});

test('a tensor that comes in pieces is refused with its name, the first index, the value and how many', () => {
  const tensor = tensorOf('model.layers.2.mlp.down_proj.weight', [4, 3], 'F32');
  const findings = new WeightFindings({ ...noWeights });
  const values = new Array<number>(12).fill(1).with(5, Number.POSITIVE_INFINITY).with(11, Number.NaN);
  findings.look(tensor, bytesOf(values.slice(0, 4), 'F32'));
  findings.refuse([tensor]);
  expect(findings.isKnown(tensor)).toBe(false);
  findings.look(tensor, bytesOf(values.slice(7), 'F32'), 7);
  expect(findings.isKnown(tensor)).toBe(false);
  findings.look(tensor, bytesOf(values.slice(2), 'F32'), 2);
  expect(findings.isKnown(tensor)).toBe(true);
  // A streamed block comes again and again, after a break in other pieces: each value counts once.
  findings.look(tensor, bytesOf(values.slice(2, 8), 'F32'), 2);
  findings.look(tensor, bytesOf(values, 'F32'));
  expect(() => findings.refuse([tensorOf('other', [1], 'F32', 48), tensor])).toThrow(
    'model.layers.2.mlp.down_proj.weight[5] = Infinity: 2 of its 12 values are not finite, so no number can be computed from them.',
  );
  findings.refuse([tensorOf('other', [1], 'F32', 48)]);
});

test('of an embedding only the rows that are read count', () => {
  const tensor = tensorOf('model.embed_tokens.weight', [4, 2], 'BF16');
  const findings = new WeightFindings({ ...noWeights });
  findings.look(tensor, bytesOf([1, 2, 3, 4, 5, Number.NEGATIVE_INFINITY, 7, 8], 'BF16'));
  findings.refuseRows(tensor, [0, 1, 3, 3]);
  expect(() => findings.refuseRows(tensor, [0, 2])).toThrow('model.embed_tokens.weight[5] = -Infinity');
});

test('more broken values than places are remembered: every row counts', () => {
  const tensor = tensorOf('model.embed_tokens.weight', [5000, 1], 'F16');
  const findings = new WeightFindings({ ...noWeights });
  findings.look(tensor, bytesOf([0, ...new Array<number>(4999).fill(Number.NaN)], 'F16'));
  expect(() => findings.refuseRows(tensor, [0])).toThrow(/embed_tokens.weight\[1\] = NaN: 4999 of its 5000/);
});

test('files that another runtime reads are looked at once, and only the tensors of the variant count', async () => {
  const layer = { heads: 0, kvHeads: 0, headDim: 1, ffn: 2 };
  const shape = (sources: number[]) =>
    ({
      vocab: 2,
      hidden: 1,
      tiedHead: true,
      layers: sources.map((source) => ({ ...layer, source })),
    }) as unknown as ModelShape;
  const values = new Map<string, number[]>();
  let reads = 0;
  const weights: WeightSource = {
    layerTensor(role, source) {
      const name = `model.layers.${source}.${role}`;
      values.set(name, source === 1 && role === 'upProj' ? [1, Number.NaN] : [1, 2]);
      return { ...tensorOf(name, [2, 1], 'F32'), file: name };
    },
    modelTensor(role) {
      values.set(role, [1, 1]);
      return { ...tensorOf(role, [2, 1], 'F32'), file: role };
    },
    async read({ name, begin, end }) {
      reads += 1;
      return bytesOf(values.get(name)!, 'F32').slice(begin, end);
    },
    file: async () => new Blob(),
  };
  await expect(refuseNonFiniteWeights(shape([0, 1]), weights)).rejects.toMatchObject({
    code: 'non-finite',
    message: expect.stringContaining('model.layers.1.upProj[1] = NaN: 1 of its 2 values is not finite'),
  });
  const before = reads;
  await refuseNonFiniteWeights(shape([0]), weights);
  await expect(refuseNonFiniteWeights(shape([1]), weights)).rejects.toThrow('model.layers.1.upProj');
  expect(reads).toBe(before);
  expect(findingsOf(weights)).toBe(findingsOf(weights));
});

test('views of one model share what is known of its tensors, and keep what is known of their own apart', async () => {
  const base = { ...noWeights };
  const [shared, own] = [tensorOf('shared', [2], 'F32'), { ...tensorOf('own', [2], 'F32'), file: 'patch' }];
  const view: WeightSource = { ...noWeights, owner: (tensor) => (tensor.file === 'patch' ? view : base) };
  findingsOf(base).look(shared, bytesOf([1, Number.NaN], 'F32'));
  expect(findingsOf(view).isKnown(shared)).toBe(true);
  expect(() => findingsOf(view).refuse([shared])).toThrow('shared[1] = NaN');
  findingsOf(view).look(own, bytesOf([Number.NaN, 1], 'F32'));
  expect(() => findingsOf(view).refuse([own])).toThrow('own[0] = NaN');
  expect(findingsOf(base).isKnown(own)).toBe(false);
});
