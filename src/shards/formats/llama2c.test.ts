/** @file A Hugging Face checkpoint written as run.c reads it must come back tensor by tensor. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadModel } from '../download/load';
import { openSource } from '../sources/openSource';
import { llama2cFile } from '../testing/llama2cFile';
import { newStore } from '../testing/memory';
import { tinyConfig } from '../testing/tinyModel';
import { openLlama2c } from './llama2c';
import { safetensorsParts } from './safetensors';

const tied = { ...tinyConfig, tie_word_embeddings: true };

test.each([
  [0, true],
  [0, false],
  [1, true],
  [1, false],
] as const)('version %i, tied %s: the tensors are those that were written', async (version, isTied) => {
  const { file, tensors } = llama2cFile(version, { ...tinyConfig, tie_word_embeddings: isTied });
  const { config, weights } = await openLlama2c(file, 'm.bin');
  expect(config).toMatchObject({
    hidden_size: tinyConfig.hidden_size,
    num_key_value_heads: 2,
    vocab_size: 40,
    tie_word_embeddings: isTied,
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
  await expect(openLlama2c(llama2cFile(2, tied).file, 'm.bin')).rejects.toMatchObject({
    code: 'bad-weights',
    message: expect.stringContaining('version 2 (int8)'),
  });
  const { file } = llama2cFile(0, tied);
  await expect(openLlama2c(file.slice(0, file.size - 4), 'm.bin')).rejects.toThrow(`got ${file.size - 4}`);
  await expect(openLlama2c(new Blob(['not a checkpoint at all, only words']), 'm.bin')).rejects.toThrow(
    'header, hidden',
  );
  await expect(openLlama2c(new Blob(['short']), 'm.bin')).rejects.toThrow('got 5');
});

const open = (files: File[]) => openSource(files, { baseUrl: 'https://page.test/' });
const fixture = (name: string): Blob => new Blob([readFileSync(`tools/sentencepiece/fixtures/${name}`)]);

test('a dropped .bin loads like any other checkpoint, and what lies beside it is left alone', async () => {
  const { file, tensors } = llama2cFile(0);
  const repository = await open([new File([file], 'stories.bin'), new File(['?'], 'notes.txt')]);
  const { checkpoint } = await loadModel(repository, await newStore());
  const key = tensors.find((tensor) => tensor.name === 'model.layers.1.self_attn.k_proj.weight')!;
  expect(await checkpoint.read(checkpoint.layerTensor('kProj', 1))).toEqual(key.data);
  expect(checkpoint.config.shape).toMatchObject({ vocab: 40, tiedHead: false, maxPositions: 64 });
});

test('the tokenizer of a folder of llama2.c’s, in both forms and under its own name, is found', async () => {
  const { file } = llama2cFile(0, tied);
  const tok = new File([fixture('keep.model')], 'tok360.model');
  const repository = await open([new File([file], 'stories.bin'), tok, new File(['?'], 'tok360.bin')]);
  const names = (await repository.list()).map(({ name }) => name);
  expect(names).toEqual(['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors']);
  const { stored, checkpoint } = await loadModel(repository, await newStore());
  expect(stored.summary.tokenizer).toBe(true);
  expect(await checkpoint.json('tokenizer_config.json')).toMatchObject({ add_bos_token: true });
});

test('a tokenizer.bin that is none is refused by its name, and two tokenizers by theirs', async () => {
  const checkpoint = new File([llama2cFile(0, tied).file], 'stories.bin');
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
