import { expect, test } from 'vitest';
import { parseConfig } from './config';

const sizes = {
  version: 1,
  model_type: 'qwen2',
  num_attention_heads: [4, 0, 2],
  num_key_value_heads: [2, 0, 1],
  intermediate_size: [20, 7, 0],
  biases: [['q_proj', 'o_proj'], ['down_proj'], []],
};
const good = {
  architectures: ['SecateurForCausalLM'],
  model_type: 'secateur',
  hidden_size: 32,
  intermediate_size: 20,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  vocab_size: 50,
  max_position_embeddings: 64,
  secateur: sizes,
};

test('blocks have the sizes and biases that the record gives each of them', () => {
  const { shape, architecture } = parseConfig(good);
  expect(architecture).toBe('Qwen2ForCausalLM');
  expect(shape.family).toBe('qwen2');
  expect(shape.layers).toEqual([
    { source: 0, heads: 4, kvHeads: 2, headDim: 8, ffn: 20, biases: ['qBias', 'oBias'] },
    { source: 1, heads: 0, kvHeads: 0, headDim: 8, ffn: 7, biases: ['downBias'] },
    { source: 2, heads: 2, kvHeads: 1, headDim: 8, ffn: 0 },
  ]);
});

test.each([
  [{ version: 2 }, 'version'],
  [{ num_attention_heads: [4, 0] }, 'expected one entry for each of the 3 blocks, got 2'],
  [{ num_key_value_heads: [3, 0, 1] }, 'block 0: expected a divisor of its 4 query heads, got 3'],
  [{ num_key_value_heads: [2, 1, 1] }, 'block 1: expected a divisor of its 0 query heads, got 1'],
  [{ num_key_value_heads: [0, 0, 1] }, 'block 0'],
  [{ intermediate_size: [20, 0, 0] }, 'block 1 has neither attention nor MLP'],
  [{ intermediate_size: [20, -1, 0] }, 'intermediate_size'],
  [{ intermediate_size: [20, 1.5, 0] }, 'intermediate_size'],
  [{ biases: [['x_proj'], [], []] }, 'biases'],
  [{ biases: [[], ['q_proj'], []] }, 'block 1 has qBias, but not its sub-block'],
  [{ biases: [[], []] }, 'biases: expected one entry for each of the 3 blocks, got 2'],
  [{ model_type: 7 }, 'secateur.model_type: expected a family'],
])('%j is refused', (change, named) => {
  const load = () => parseConfig({ ...good, secateur: { ...sizes, ...change } });
  expect(load).toThrow(named);
  expect(load).toThrow(expect.objectContaining({ code: 'bad-config' }));
});

test('a family that we do not run is refused by its name', () => {
  const load = () => parseConfig({ ...good, secateur: { ...sizes, model_type: 'mixtral' } });
  expect(load).toThrow(expect.objectContaining({ code: 'unsupported-architecture' }));
  expect(() => parseConfig({ ...good, secateur: 'x' })).toThrow('secateur.model_type');
  expect(() => parseConfig({ ...good, model_type: 'llama', secateur: 'x' })).toThrow('secateur: expected an object');
});
