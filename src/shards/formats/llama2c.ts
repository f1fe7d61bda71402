/** @file A llama2.c checkpoint (karpathy's run.c) as config.json and safetensors; the weights' bytes are not copied. */
import { LabError } from '../../errors';
import { safetensorsParts, type TensorToWrite } from './safetensors';

/** 'ak42': the headers with a version begin with it. */
const magic = 0x616b3432;
const legacyHeaderBytes = 28;
const versionedHeaderBytes = 256;
const floatBytes = 4;

interface Sizes {
  readonly hidden: number;
  readonly ffn: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly vocab: number;
  readonly seqLen: number;
  readonly tied: boolean;
  /** Header of seven int32 alone, with run.c's first order of weights. */
  readonly legacy: boolean;
}

export interface Llama2c {
  /** As config.json would say it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Parts of model.safetensors with Hugging Face's names and row order. */
  readonly weights: BlobPart[];
}

/** Reads the header of `file` and places its tensors. Throws 'bad-weights'. */
export async function openLlama2c(file: Blob, name: string): Promise<Llama2c> {
  const sizes = parseHeader(await file.slice(0, versionedHeaderBytes).arrayBuffer(), name);
  const { hidden, ffn, layers, heads, kvHeads, vocab, seqLen, tied } = sizes;
  return {
    config: {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_size: hidden,
      intermediate_size: ffn,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      num_key_value_heads: kvHeads,
      vocab_size: vocab,
      max_position_embeddings: seqLen,
      // run.c has both as constants.
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      hidden_act: 'silu',
      tie_word_embeddings: tied,
      bos_token_id: 1,
      eos_token_id: 2,
    },
    weights: safetensorsParts(placeTensors(file, sizes, name)),
  };
}

function parseHeader(bytes: ArrayBuffer, name: string): Sizes {
  if (bytes.byteLength < legacyHeaderBytes) throw bad(name, `expected a header of 28 bytes, got ${bytes.byteLength}`);
  const view = new DataView(bytes);
  const legacy = view.getUint32(0, true) !== magic;
  if (!legacy) {
    const version = view.getInt32(4, true);
    if (version !== 1) {
      const what = version === 2 ? 'version 2 (int8)' : `version ${version}`;
      throw bad(name, `expected float32 weights (a file without version, or version 1), got ${what}`);
    }
    if (bytes.byteLength < versionedHeaderBytes) throw bad(name, `expected a header of 256 bytes`);
  }
  const field = (index: number): number => view.getInt32((legacy ? 0 : 8) + 4 * index, true);
  const [hidden, ffn, layers, heads, kvHeads, signedVocab, seqLen] = [0, 1, 2, 3, 4, 5, 6].map(field) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const vocab = Math.abs(signedVocab);
  const bounds = { hidden: 2 ** 16, ffn: 2 ** 20, layers: 1024, heads: 1024, kvHeads: 1024, vocab: 2 ** 22 };
  const got = { hidden, ffn, layers, heads, kvHeads, vocab };
  for (const [key, most] of Object.entries(bounds)) {
    const value = got[key as keyof typeof got];
    if (value < 1 || value > most) throw bad(name, `header, ${key}: expected 1 to ${most}, got ${value}`);
  }
  if (seqLen < 1 || seqLen > 2 ** 27) throw bad(name, `header, seqLen: expected 1 to ${2 ** 27}, got ${seqLen}`);
  if (hidden % (2 * heads) !== 0 || heads % kvHeads !== 0) {
    throw bad(name, `header: ${hidden} channels cannot be divided into ${heads} heads and ${kvHeads} key/value heads`);
  }
  // A legacy file says by the sign of the vocabulary that the head is a matrix of its own.
  const tied = legacy ? signedVocab > 0 : view.getUint8(36) === 1;
  return { ...got, seqLen, tied, legacy };
}

/** The tensors in the order of the file, each a slice of it; the sizes must fill the file exactly. */
function placeTensors(file: Blob, sizes: Sizes, name: string): TensorToWrite[] {
  const { hidden, ffn, layers, heads, kvHeads, vocab, seqLen, tied, legacy } = sizes;
  const headDim = hidden / heads;
  const tensors: TensorToWrite[] = [];
  let at = legacy ? legacyHeaderBytes : versionedHeaderBytes;
  const take = (tensor: string, dims: readonly number[], rotaryHeadDim?: number): void => {
    const end = at + floatBytes * dims.reduce((a, b) => a * b, 1);
    const slice = file.slice(at, end);
    const data = rotaryHeadDim === undefined ? slice : halvesFirst(slice, dims[1]! * floatBytes, rotaryHeadDim);
    tensors.push({ name: tensor, dtype: 'F32', dims, data });
    at = end;
  };
  const each = (tensor: string, dims: readonly number[], rotaryHeadDim?: number): void => {
    for (let layer = 0; layer < layers; layer++) {
      take(`model.layers.${layer}.${tensor}.weight`, dims, rotaryHeadDim);
    }
  };
  const embed = (): void => take('model.embed_tokens.weight', [vocab, hidden]);
  const attnNorm = (): void => each('input_layernorm', [hidden]);
  const mlpNorm = (): void => each('post_attention_layernorm', [hidden]);
  const finalNorm = (): void => take('model.norm.weight', [hidden]);
  const attention = (): void => {
    each('self_attn.q_proj', [hidden, hidden], headDim);
    each('self_attn.k_proj', [kvHeads * headDim, hidden], headDim);
    each('self_attn.v_proj', [kvHeads * headDim, hidden]);
    each('self_attn.o_proj', [hidden, hidden]);
  };
  const mlp = (): void => {
    each('mlp.gate_proj', [ffn, hidden]);
    each('mlp.down_proj', [hidden, ffn]);
    each('mlp.up_proj', [ffn, hidden]);
  };
  const order = legacy
    ? [embed, attnNorm, attention, mlpNorm, mlp, finalNorm]
    : [attnNorm, mlpNorm, finalNorm, embed, attention, mlp];
  for (const place of order) place();
  if (legacy) at += floatBytes * seqLen * headDim; // tables of cosines and sines that run.c no longer reads
  if (!tied) take('lm_head.weight', [vocab, hidden]);
  if (at !== file.size) throw bad(name, `the header describes a file of ${at} bytes, got ${file.size}`);
  return tensors;
}

/**
 * run.c rotates channels (2i, 2i+1) together, Hugging Face (i, i + headDim/2): within each head the even rows come
 * first, then the odd ones.
 */
function halvesFirst(matrix: Blob, rowBytes: number, headDim: number): Blob {
  const rows = matrix.size / rowBytes;
  const half = headDim / 2;
  const parts = Array.from({ length: rows }, (_, row) => {
    const channel = row % headDim;
    const from = row - channel + (channel < half ? 2 * channel : 2 * (channel - half) + 1);
    return matrix.slice(from * rowBytes, (from + 1) * rowBytes);
  });
  return new Blob(parts);
}

function bad(name: string, what: string): LabError {
  return new LabError(
    'bad-weights',
    `${name}, read as a llama2.c checkpoint: ${what}.`,
    'Export the checkpoint with version 0 or 1 of llama2.c’s export.py, or use a folder in Hugging Face format.',
  );
}
