/** @file A Hugging Face checkpoint written as run.c reads it must come back tensor by tensor. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openLlama2c } from './llama2c';
import { loadModel } from './load';
import { openSource } from './repository';
import { safetensorsParts, type TensorToWrite } from './safetensors';
import { newStore } from './testing/memory';
import { tinyConfig, tinyTensors } from './testing/tinyModel';

const { hidden_size: hidden, num_hidden_layers: layers, num_attention_heads: heads } = tinyConfig;
const headDim = hidden / heads;

function floats({ data }: TensorToWrite): Float32Array {
  const bytes = data as Uint8Array<ArrayBuffer>;
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** As llama2.c's export.py undoes Hugging Face's order: view(heads, 2, headDim/2, in).transpose(1, 2). */
function interleaved(values: Float32Array): Float32Array {
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

function write(version: 0 | 1 | 2, tied: boolean): { file: Blob; tensors: TensorToWrite[] } {
  const tensors = tinyTensors({ ...tinyConfig, tie_word_embeddings: tied });
  const get = (name: string): Float32Array => floats(tensors.find((tensor) => tensor.name === `${name}.weight`)!);
  const each = (name: string, change = (values: Float32Array) => values) =>
    Array.from({ length: layers }, (_, layer) => change(get(`model.layers.${layer}.${name}`)));
  const attnNorm = each('input_layernorm');
  const mlpNorm = each('post_attention_layernorm');
  const attention = [
    ...each('self_attn.q_proj', interleaved),
    ...each('self_attn.k_proj', interleaved),
    ...each('self_attn.v_proj'),
    ...each('self_attn.o_proj'),
  ];
  const mlp = [...each('mlp.gate_proj'), ...each('mlp.down_proj'), ...each('mlp.up_proj')];
  const embed = get('model.embed_tokens');
  const norm = get('model.norm');
  const { vocab_size: vocab, max_position_embeddings: seqLen } = tinyConfig;
  const header = new DataView(new ArrayBuffer(version === 0 ? 28 : 256));
  const sizes = [hidden, tinyConfig.intermediate_size, layers, heads, tinyConfig.num_key_value_heads, vocab, seqLen];
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

test.each([
  [0, true],
  [0, false],
  [1, true],
  [1, false],
] as const)('version %i, tied %s: the tensors are those that were written', async (version, tied) => {
  const { file, tensors } = write(version, tied);
  const { config, weights } = await openLlama2c(file, 'm.bin');
  expect(config).toMatchObject({
    hidden_size: hidden,
    num_key_value_heads: 2,
    vocab_size: 40,
    tie_word_embeddings: tied,
  });
  const read = await tensorsOf(new Blob(weights));
  const written = await tensorsOf(new Blob(safetensorsParts(tensors)));
  expect([...read.keys()].sort()).toEqual([...written.keys()].sort());
  for (const [name, bytes] of written) expect(read.get(name), name).toEqual(bytes);
});

async function tensorsOf(file: Blob): Promise<Map<string, Uint8Array>> {
  const bytes = await file.arrayBuffer();
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.slice(8, 8 + length))) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            data_offsets: [begin, end],
          },
        ]) => [name, new Uint8Array(bytes.slice(8 + length + begin, 8 + length + end))],
      ),
  );
}

test('int8, a cut file and what is no checkpoint are refused', async () => {
  await expect(openLlama2c(write(2, true).file, 'm.bin')).rejects.toMatchObject({
    code: 'bad-weights',
    message: expect.stringContaining('version 2 (int8)'),
  });
  const { file } = write(0, true);
  await expect(openLlama2c(file.slice(0, file.size - 4), 'm.bin')).rejects.toThrow(`got ${file.size - 4}`);
  await expect(openLlama2c(new Blob(['not a checkpoint at all, only words']), 'm.bin')).rejects.toThrow(
    'header, hidden',
  );
  await expect(openLlama2c(new Blob(['short']), 'm.bin')).rejects.toThrow('got 5');
});

const open = (files: File[]) => openSource(files, { baseUrl: 'https://page.test/' });
const fixture = (name: string): Blob => new Blob([readFileSync(`tools/sentencepiece/fixtures/${name}`)]);

test('a dropped .bin loads like any other checkpoint, and what lies beside it is left alone', async () => {
  const { file, tensors } = write(0, false);
  const repository = await open([new File([file], 'stories.bin'), new File(['?'], 'notes.txt')]);
  const { checkpoint } = await loadModel(repository, await newStore());
  const key = tensors.find((tensor) => tensor.name === 'model.layers.1.self_attn.k_proj.weight')!;
  expect(await checkpoint.read(checkpoint.layerTensor('kProj', 1))).toEqual(key.data);
  expect(checkpoint.config.shape).toMatchObject({ vocab: 40, tiedHead: false, maxPositions: 64 });
});

test('the tokenizer of a folder of llama2.c’s, in both forms and under its own name, is found', async () => {
  const { file } = write(0, true);
  const tok = new File([fixture('keep.model')], 'tok360.model');
  const repository = await open([new File([file], 'stories.bin'), tok, new File(['?'], 'tok360.bin')]);
  const names = (await repository.list()).map(({ name }) => name);
  expect(names).toEqual(['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors']);
  const { stored, checkpoint } = await loadModel(repository, await newStore());
  expect(stored.summary.tokenizer).toBe(true);
  expect(await checkpoint.json('tokenizer_config.json')).toMatchObject({ add_bos_token: true });
});

test('a tokenizer.bin that is none is refused by its name, and two tokenizers by theirs', async () => {
  const checkpoint = new File([write(0, true).file], 'stories.bin');
  await expect(open([checkpoint, new File(['?'], 'tokenizer.bin')])).rejects.toMatchObject({
    code: 'bad-tokenizer',
    message: expect.stringContaining('tokenizer.bin'),
  });
  const two = ['tok1.bin', 'tok2.bin'].map((name) => new File(['?'], name));
  await expect(open([checkpoint, ...two])).rejects.toThrow('2 tokenizers were chosen (tok1.bin, tok2.bin)');
});

test('two checkpoints at once are refused by name; PyTorch files are not taken for one', async () => {
  const two = ['a.bin', 'b.bin'].map((name) => new File([''], name));
  await expect(open(two)).rejects.toThrow('a.bin, b.bin');
  await expect(open([new File([''], 'pytorch_model.bin')])).rejects.toMatchObject({
    code: 'missing-file',
  });
});
