/** @file Model folders for the tests: random LLaMA checkpoints made in memory, and the golden ones from disk. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Folder } from './folderServer';

export interface CheckpointOptions {
  dtype?: 'F32' | 'F16' | 'BF16';
  shards?: number;
  seed?: number;
  hidden?: number;
  layers?: number;
  heads?: number;
  kvHeads?: number;
  headDim?: number;
  ffn?: number;
  vocab?: number;
  tied?: boolean;
  /** Entries of config.json to replace, add, or (undefined) leave out. */
  config?: Record<string, unknown>;
}

/** One entry of a safetensors header with its bytes. */
export interface Piece {
  name: string;
  dtype: string;
  shape: number[];
  bytes: Uint8Array;
}

const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Deterministic numbers in (−1, 1): a linear congruential step with a final mix. */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), 2246822519) >>> 0;
    return (mixed / 2 ** 32) * 2 - 1;
  };
}

/** Bits of a normal float16, cut towards zero; exact enough for weights that only have to be some weights. */
function halfBits(value: number): number {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0]!;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (exponent <= 0) return 0;
  return ((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

function encode(values: Float32Array, dtype: 'F32' | 'F16' | 'BF16'): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer);
  const bits = new Uint32Array(values.buffer);
  const packed = Uint16Array.from(values, (value, i) => (dtype === 'F16' ? halfBits(value) : bits[i]! >>> 16));
  return new Uint8Array(packed.buffer);
}

/** A safetensors file. `edit` may spoil the header before it is written. */
export function safetensors(pieces: Piece[], edit?: (header: Record<string, unknown>) => void): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let at = 0;
  for (const { name, dtype, shape, bytes } of pieces) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  edit?.(header);
  const json = text(header);
  const padded = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + padded + at).fill(0x20, 8, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(json, 8);
  let end = 8 + padded;
  for (const { bytes } of pieces) {
    file.set(bytes, end);
    end += bytes.length;
  }
  return file;
}

/** Every tensor of a random checkpoint, in order. */
export function pieces(options: CheckpointOptions = {}): Piece[] {
  const { dtype = 'F32', seed = 1, hidden = 32, layers = 3, heads = 2, kvHeads = 1, headDim = 16 } = options;
  const { ffn = 48, vocab = 64, tied = true } = options;
  const random = uniform(seed);
  const piece = (name: string, shape: number[], scale: number, offset = 0): Piece => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < values.length; i += 1) values[i] = offset + scale * random();
    return { name, dtype, shape, bytes: encode(values, dtype) };
  };
  const matrix = (name: string, rows: number, columns: number) => piece(name, [rows, columns], 2 / Math.sqrt(columns));
  const norm = (name: string) => piece(name, [hidden], 0.2, 1);
  const block = (layer: number): Piece[] => {
    const prefix = `model.layers.${layer}`;
    return [
      norm(`${prefix}.input_layernorm.weight`),
      matrix(`${prefix}.self_attn.q_proj.weight`, heads * headDim, hidden),
      matrix(`${prefix}.self_attn.k_proj.weight`, kvHeads * headDim, hidden),
      matrix(`${prefix}.self_attn.v_proj.weight`, kvHeads * headDim, hidden),
      matrix(`${prefix}.self_attn.o_proj.weight`, hidden, heads * headDim),
      norm(`${prefix}.post_attention_layernorm.weight`),
      matrix(`${prefix}.mlp.gate_proj.weight`, ffn, hidden),
      matrix(`${prefix}.mlp.up_proj.weight`, ffn, hidden),
      matrix(`${prefix}.mlp.down_proj.weight`, hidden, ffn),
    ];
  };
  return [
    matrix('model.embed_tokens.weight', vocab, hidden),
    ...Array.from({ length: layers }, (_, layer) => block(layer)).flat(),
    norm('model.norm.weight'),
    ...(tied ? [] : [matrix('lm_head.weight', vocab, hidden)]),
  ];
}

/** A tokenizer whose tokens are single letters after the three special ones: `size` entries, at least 31. */
export function letters(size: number): Uint8Array {
  const special = ['<unk>', '<s>', '</s>'];
  const plain = Array.from('▁abcdefghijklmnopqrstuvwxyz.');
  const filler = Array.from({ length: Math.max(0, size - special.length - plain.length) }, (_, i) => `§${i}`);
  const vocab = Object.fromEntries([...special, ...plain, ...filler].map((token, id) => [token, id]));
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return text({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({ id, content, ...flags })),
    normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'Fuse' }],
    },
    model: { type: 'BPE', unk_token: '<unk>', fuse_unk: false, byte_fallback: false, vocab, merges: [] },
  });
}

/** A whole folder: config.json, tokenizer, weights in one file or in shards with their index. */
export function checkpoint(options: CheckpointOptions = {}): Folder {
  const { dtype = 'F32', shards = 1, hidden = 32, layers = 3, heads = 2, kvHeads = 1, headDim = 16 } = options;
  const { ffn = 48, vocab = 64, tied = true } = options;
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: hidden,
    intermediate_size: ffn,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headDim,
    vocab_size: vocab,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    hidden_act: 'silu',
    tie_word_embeddings: tied,
    bos_token_id: 1,
    eos_token_id: 2,
    torch_dtype: { F32: 'float32', F16: 'float16', BF16: 'bfloat16' }[dtype],
    ...options.config,
  };
  const folder: Folder = new Map([
    ['config.json', text(config)],
    ['tokenizer.json', letters(Math.min(vocab, 40))],
    ['tokenizer_config.json', text({ tokenizer_class: 'LlamaTokenizer', bos_token: '<s>', eos_token: '</s>' })],
  ]);
  const all = pieces(options);
  if (shards === 1) return folder.set('model.safetensors', safetensors(all));
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard += 1) {
    const name = `model-${pad(shard + 1)}-of-${pad(shards)}.safetensors`;
    const part = all.slice((shard * all.length) / shards, ((shard + 1) * all.length) / shards);
    for (const piece of part) weightMap[piece.name] = name;
    folder.set(name, safetensors(part));
  }
  const size = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return folder.set('model.safetensors.index.json', text({ metadata: { total_size: size }, weight_map: weightMap }));
}

const pad = (value: number): string => String(value).padStart(5, '0');

/** The numbers of a golden checkpoint that the end-to-end tests compare with; see tools/golden/README.md. */
export interface Golden {
  calibration_token_ids: number[][];
  base_ppl: number;
  ppl: number[];
  ppl_attention: number[];
  ppl_mlp: number[];
  block_influence: number[];
  angular: Record<string, number[]>;
  magnitude: number[];
  taylor: number[];
  sleb: { removed: number[]; ppl: number[] };
  wanda_sp: { heads: number[][]; neurons: number[][] };
  flap: { heads: number[][]; neurons: number[][] };
  llm_pruner: { heads: number[][]; neurons: number[][] };
  text: string;
  text_ids: number[];
}

export type FixtureName = 'tiny-a' | 'tiny-b' | 'tiny-c' | 'tiny-mistral' | 'tiny-qwen2' | 'tiny-biases';

/** A golden checkpoint: its folder as a host would serve it, and its numbers. */
export function fixture(name: FixtureName): { folder: Folder; golden: Golden } {
  const path = fileURLToPath(new URL(`../../tools/golden/fixtures/${name}/`, import.meta.url));
  const folder: Folder = new Map(
    readdirSync(path)
      .filter((file) => !['golden.json', 'cuts.json', 'training.json', 'distillation.json'].includes(file))
      .map((file) => [file, new Uint8Array(readFileSync(path + file))]),
  );
  return { folder, golden: JSON.parse(readFileSync(`${path}golden.json`, 'utf8')) as Golden };
}

/**
 * The folder of a golden checkpoint whose config.json allows 32 positions, so that the page cuts texts to 32 tokens instead of 128. For
 * tests of the page that compare no golden number: the page runs a model hundreds of times.
 */
export function shortModel(name: FixtureName): Folder {
  const { folder } = fixture(name);
  const config: unknown = JSON.parse(new TextDecoder().decode(folder.get('config.json')));
  return folder.set('config.json', text({ ...(config as object), max_position_embeddings: 32 }));
}

/** A golden checkpoint pruned in width; see tools/golden/README.md. */
export interface GoldenCut {
  keepHeads: number[][];
  keepNeurons: number[][];
  parameters: number;
  mean_nll: number;
  flap_bias: { mean_nll: number };
}

/** The pruned forms of a golden checkpoint, by method and share: 'flap 0.35'. */
export function cutsOf(name: FixtureName): Record<string, GoldenCut> {
  const path = fileURLToPath(new URL(`../../tools/golden/fixtures/${name}/cuts.json`, import.meta.url));
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, GoldenCut>;
}
