/** @file A Hugging Face checkpoint of the tests as llama2.c's export.py would write it. */
import type { TensorToWrite } from '../formats/safetensors';
import { tinyConfig, tinyTensors } from './tinyModel';

function floats({ data }: TensorToWrite): Float32Array {
  const bytes = data as Uint8Array<ArrayBuffer>;
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** Undoes Hugging Face's order of rows: view(heads, 2, headDim/2, in).transpose(1, 2). */
function interleaved(values: Float32Array, hidden: number, headDim: number): Float32Array {
  const out = new Float32Array(values.length);
  const rows = values.length / hidden;
  for (let head = 0; head < rows / headDim; head++)
    for (let part = 0; part < 2; part++)
      for (let i = 0; i < headDim / 2; i++) {
        const from = head * headDim + part * (headDim / 2) + i;
        out.set(values.subarray(from * hidden, (from + 1) * hidden), (head * headDim + 2 * i + part) * hidden);
      }
  return out;
}

/** The file, and the tensors that it holds under Hugging Face's names and in its order. */
export function llama2cFile(version: 0 | 1 | 2, config = tinyConfig): { file: Blob; tensors: TensorToWrite[] } {
  const { hidden_size: hidden, num_hidden_layers: layers, num_attention_heads: heads } = config;
  const { vocab_size: vocab, max_position_embeddings: seqLen, tie_word_embeddings: tied } = config;
  const headDim = hidden / heads;
  const tensors = tinyTensors(config);
  const get = (name: string): Float32Array => floats(tensors.find((tensor) => tensor.name === `${name}.weight`)!);
  const each = (name: string, change = (values: Float32Array) => values) =>
    Array.from({ length: layers }, (_, layer) => change(get(`model.layers.${layer}.${name}`)));
  const rotated = (values: Float32Array) => interleaved(values, hidden, headDim);
  const attnNorm = each('input_layernorm');
  const mlpNorm = each('post_attention_layernorm');
  const attention = [
    ...each('self_attn.q_proj', rotated),
    ...each('self_attn.k_proj', rotated),
    ...each('self_attn.v_proj'),
    ...each('self_attn.o_proj'),
  ];
  const mlp = [...each('mlp.gate_proj'), ...each('mlp.down_proj'), ...each('mlp.up_proj')];
  const embed = get('model.embed_tokens');
  const norm = get('model.norm');
  const header = new DataView(new ArrayBuffer(version === 0 ? 28 : 256));
  const sizes = [hidden, config.intermediate_size, layers, heads, config.num_key_value_heads, vocab, seqLen];
  if (version === 0 && !tied) sizes[5] = -vocab;
  for (const [i, value] of sizes.entries()) header.setInt32((version === 0 ? 0 : 8) + 4 * i, value, true);
  if (version > 0) {
    header.setUint32(0, 0x616b3432, true);
    header.setInt32(4, version, true);
    header.setUint8(36, tied ? 1 : 0);
  }
  const body =
    version === 0
      ? [embed, ...attnNorm, ...attention, ...mlpNorm, ...mlp, norm, new Float32Array(seqLen * headDim)]
      : [...attnNorm, ...mlpNorm, norm, embed, ...attention, ...mlp];
  const head = tied ? [] : [get('lm_head')];
  return { file: new Blob([header.buffer, ...body, ...head].map((part) => new Blob([part as BlobPart]))), tensors };
}
