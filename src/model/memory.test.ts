import { describe, expect, test } from 'vitest';
import { parseConfig } from './config';
import { dtypeOfBytes, gpuFit, memoryPlan } from './memory';

/** TinyLlama 1.1B. */
const { shape } = parseConfig({
  model_type: 'llama',
  hidden_size: 2048,
  intermediate_size: 5632,
  num_hidden_layers: 22,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  vocab_size: 32000,
  tie_word_embeddings: false,
});
const norms = (count: number) => count * 2048 * 4;
const block = 2 * (2 * 2048 * 2048 + 2 * 256 * 2048 + 3 * 5632 * 2048) + norms(2);
const vocabulary = 2 * 2 * 32000 * 2048 + norms(1);

describe('TinyLlama in 16 bits', () => {
  const plan = memoryPlan(shape, 'F16');

  test('weights: matrices as they are stored, norms as float32', () => {
    expect(plan.blockBytes).toBe(block);
    expect(plan.blocksBytes).toBe(22 * block);
    expect(plan.vocabularyBytes).toBe(vocabulary);
  });

  test('the least is two blocks beside embedding, head, norm and activations', () => {
    expect(plan.streamedBytes).toBe(vocabulary + 2 * block + plan.activationBytes);
    expect(plan.wholeBytes).toBe(vocabulary + 22 * block + plan.activationBytes);
    // 1280 tokens: 24 states of the stream, a block's insides twice, and a chunk of logits.
    const insides = 3 * 2048 + 2 * 2048 + 2 * 256 + 3 * 5632;
    expect(plan.activationBytes).toBe(4 * (1280 * 24 * 2048 + 2 * 1280 * insides) + 2 ** 24);
    expect(memoryPlan(shape, 'F16', { tokens: 128 }).activationBytes).toBeLessThan(plan.activationBytes / 5);
  });

  test('the largest piece is gate and up, joined; the vocabulary is cut', () => {
    expect(plan.binding).toEqual({ bytes: 2 * 2 * 5632 * 2048, what: 'gate and up', dims: [11264, 2048] });
    const narrow = { ...shape, layers: shape.layers.map((layer) => ({ ...layer, ffn: 64 })) };
    expect(memoryPlan(narrow, 'F32').binding).toMatchObject({ what: 'q, k and v', bytes: 4 * 2560 * 2048 });
  });

  test('ONNX Runtime holds float32', () => {
    expect(plan.onnxBytes).toBe(4 * 1_100_048_384);
  });

  const { wholeBytes, streamedBytes, binding } = plan;
  test.each([
    ['nothing known', null, null, 'whole'],
    ['room for all', binding.bytes, wholeBytes, 'whole'],
    ['one byte less', binding.bytes, wholeBytes - 1, 'streamed'],
    ['room for two blocks', binding.bytes, streamedBytes, 'streamed'],
    ['one byte less than that', binding.bytes, streamedBytes - 1, 'over-budget'],
    ['pieces that are too small', binding.bytes - 1, wholeBytes, 'over-binding'],
  ] as const)('%s', (_, bindingBytes, budgetBytes, fit) => {
    expect(gpuFit(plan, { bindingBytes, budgetBytes })).toBe(fit);
  });
});

test('a tied head counts once; a sub-block that is gone counts nothing', () => {
  expect(memoryPlan({ ...shape, tiedHead: true }, 'F16').vocabularyBytes).toBe(vocabulary - 2 * 32000 * 2048);
  const [first, ...rest] = shape.layers;
  const cut = { ...shape, layers: [{ ...first!, ffn: 0 }, ...rest] };
  expect(memoryPlan(cut, 'F16').blocksBytes).toBe(22 * block - 2 * 3 * 5632 * 2048 - norms(1));
});

test('bytes per parameter tell the type, also where a tied head is stored twice', () => {
  expect(dtypeOfBytes(4.4e9, 1.1e9)).toBe('F32');
  expect(dtypeOfBytes(2.2e9, 1.1e9)).toBe('F16');
  expect(dtypeOfBytes(1.5e9, 0.6e9)).toBe('F16');
});
