/** @file A checkpoint of SmolLM2-360M's shape with seeded random F16 weights, written to a folder: 362 million parameters, 724 MB. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../../src/numerics/random';
import { letters } from './checkpoint';

export const bigConfig = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 960,
  intermediate_size: 2560,
  num_hidden_layers: 32,
  num_attention_heads: 15,
  num_key_value_heads: 5,
  vocab_size: 49_152,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  rope_theta: 100_000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
  torch_dtype: 'float16',
};

type Tensor = readonly [name: string, dims: readonly number[]];

function tensors(): Tensor[] {
  const { hidden_size: hidden, intermediate_size: ffn, vocab_size: vocab } = bigConfig;
  const keys = (hidden / bigConfig.num_attention_heads) * bigConfig.num_key_value_heads;
  const block: Tensor[] = [
    ['input_layernorm', [hidden]],
    ['self_attn.q_proj', [hidden, hidden]],
    ['self_attn.k_proj', [keys, hidden]],
    ['self_attn.v_proj', [keys, hidden]],
    ['self_attn.o_proj', [hidden, hidden]],
    ['post_attention_layernorm', [hidden]],
    ['mlp.gate_proj', [ffn, hidden]],
    ['mlp.up_proj', [ffn, hidden]],
    ['mlp.down_proj', [hidden, ffn]],
  ];
  return [
    ['model.embed_tokens.weight', [vocab, hidden]],
    ...Array.from({ length: bigConfig.num_hidden_layers }, (_, layer) =>
      block.map(([name, dims]): Tensor => [`model.layers.${layer}.${name}.weight`, dims]),
    ).flat(),
    ['model.norm.weight', [hidden]],
  ];
}

const elements = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Halves of about ±0.02: a sign, an exponent of 2⁻⁶ or less, any fraction. Their number shares no factor with a row's. */
function someFloat16(seed: number): Buffer {
  const random = createRandom(seed);
  const float16 = Uint16Array.from({ length: 2 ** 20 + 7 }, () => {
    const exponent = 6 + Math.floor(random() * 3);
    return (random() < 0.5 ? 0x8000 : 0) | (exponent << 10) | Math.floor(random() * 1024);
  });
  return Buffer.from(float16.buffer);
}

/** Writes config.json, tokenizer.json and model.safetensors into `folder`; gives the number of parameters. */
export function writeBigCheckpoint(folder: string, seed = 1): number {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, dims] of tensors()) {
    header[name] = { dtype: 'F16', shape: dims, data_offsets: [end, end + 2 * elements(dims)] };
    end += 2 * elements(dims);
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const start = Buffer.alloc(8 + padded, ' ');
  start.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(start, 8);
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  try {
    writeSync(file, start);
    const float16 = someFloat16(seed);
    for (let left = end; left > 0; left -= float16.length) writeSync(file, float16, 0, Math.min(left, float16.length));
  } finally {
    closeSync(file);
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(bigConfig));
  writeFileSync(join(folder, 'tokenizer.json'), letters(40));
  return end / 2;
}
