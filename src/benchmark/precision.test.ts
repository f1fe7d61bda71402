import { expect, test } from 'vitest';
import type { ModelShape } from '../model/shape';
import { tinyShape } from '../onnx/testing/randomModel';
import { type PrecisionFacts, precisionFor } from './precision';

const blocks = (count: number, hidden: number, ffn: number, vocab: number, tiedHead = true): ModelShape =>
  tinyShape(
    Array.from({ length: count }, () => [hidden / 64, hidden / 64, 64, ffn]),
    { hidden, vocab, tiedHead },
  );
/** SmolLM2-135M, nearly: 0.6 GB in f32. */
const small = blocks(30, 576, 1536, 49152);
/** SmolLM2-360M, nearly: 1.7 GB. */
const medium = blocks(32, 960, 2560, 49152);
const facts = (change: Partial<PrecisionFacts> = {}): PrecisionFacts => ({
  runtime: 'ort-webgpu',
  shape: small,
  dtype: 'F16',
  features: ['shader-f16'],
  bindingBytes: 2 ** 31,
  memoryBytes: null,
  ...change,
});

test.each<[string, Partial<PrecisionFacts>, string]>([
  ['what fits is widened once', {}, 'f32'],
  ['what does not pass through the heap twice stays narrow', { shape: medium }, 'f16-weights'],
  ['BF16 likewise', { shape: medium, dtype: 'BF16' }, 'f16-weights'],
  ['F32 is not narrowed', { shape: medium, dtype: 'F32' }, 'f32'],
  ['without shader-f16', { shape: medium, features: ['subgroups'] }, 'f32'],
  ['on wasm', { shape: medium, runtime: 'ort-wasm' }, 'f32'],
  ['more than a person allows', { memoryBytes: 500e6 }, 'f16-weights'],
  ['less than a person allows', { memoryBytes: 700e6 }, 'f32'],
  ['a matrix that can be bound in f16 and in parts alone', { bindingBytes: 2 ** 26 }, 'f16-weights'],
  ['one that cannot be bound either way', { bindingBytes: 2 ** 25 }, 'f32'],
])('exact: %s', (_, change, want) => {
  expect(precisionFor('exact', facts(change))).toBe(want);
});

test('f16 where it is asked for and there', () => {
  expect(precisionFor('f16', facts())).toBe('f16');
  expect(precisionFor('f16', facts({ dtype: 'F32' }))).toBe('f16');
  expect(() => precisionFor('f16', facts({ features: [] }))).toThrow(/lacks shader-f16/);
  expect(() => precisionFor('f16', facts({ runtime: 'ort-wasm' }))).toThrow(/wasm computes in f32/);
  expect(() => precisionFor('half' as 'f16', facts())).toThrow(/expected 'exact' or 'f16', got 'half'/);
});
