/** @file Exported folders opened by transformers.js in Node: the float64 model's logits, its greedy text, and padded batches. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AutoModelForCausalLM, AutoTokenizer, env, type Tensor } from '@huggingface/transformers';
import { afterAll, expect, test } from 'vitest';
import { modelLogits } from '../../numerics/model';
import { createRandom } from '../../numerics/random';
import { referenceOf } from '../../weights/testing/referenceOf';
import type { ExportDtype, ExportSource } from '../exported';
import { contentOf, exportSourceOf, planOf } from '../testing/source';
import write from './write';

const folder = mkdtempSync(join(tmpdir(), 'transformersjs-'));
afterAll(() => rmSync(folder, { recursive: true }));
Object.assign(env, { allowRemoteModels: false, localModelPath: `${folder}/` });

const demo = '../../../public/demo';
const heads = 8;
const newTokens = 10;
const firsts = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Layers of three widths, one without attention, one without an MLP, and a bias of its own on each output. */
async function unevenDemo(): Promise<ExportSource> {
  const base = await exportSourceOf(demo);
  const random = createRandom(9);
  const bias = (name: string) => {
    const values = Float32Array.from({ length: base.shape.hidden }, () => (random() - 0.5) / 8);
    return { name, dtype: 'F32' as const, dims: [base.shape.hidden], data: new Uint8Array(values.buffer) };
  };
  const keepHeads = base.shape.layers.map((_, layer) => [null, firsts(heads - 2), [0, 1, 4, 5]][layer % 3] ?? null);
  const keepNeurons = base.shape.layers.map(({ ffn }, layer) => (layer % 2 === 0 ? null : firsts(ffn - 31)));
  const units = [
    { kind: 'attention' as const, layer: 4 },
    { kind: 'mlp' as const, layer: 6 },
  ];
  const free = (kept: (number[] | null)[], layer: number) => kept.map((list, at) => (at === layer ? null : list));
  return exportSourceOf(demo, {
    plan: planOf(units, { keepHeads: free(keepHeads, 4), keepNeurons: free(keepNeurons, 6) }),
    patch: [1, 2, 5].flatMap((layer) => [
      bias(`model.layers.${layer}.self_attn.o_proj.bias`),
      bias(`model.layers.${layer}.mlp.down_proj.bias`),
    ]),
  });
}

async function save(name: string, source: ExportSource, dtype: ExportDtype): Promise<void> {
  for (const file of await write(source, { dtype })) {
    const path = join(folder, name, file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await contentOf(file));
  }
}

interface Outputs {
  logits: Tensor;
}

test.each<[string, () => Promise<ExportSource>, ExportDtype, number]>([
  ['demo', () => exportSourceOf(demo), 'f32', 1e-4],
  [
    'depth',
    () => exportSourceOf(demo, { plan: planOf([2, 7, 8].map((layer) => ({ kind: 'block', layer }))) }),
    'f32',
    1e-4,
  ],
  ['uneven', unevenDemo, 'f32', 1e-4],
  ['uneven-half', unevenDemo, 'f16', 3e-3],
])('%s', async (name, make, dtype, bound) => {
  const source = await make();
  await save(name, source, dtype);
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  const model = await AutoModelForCausalLM.from_pretrained(name);
  const { shape, weights } = source.view;
  const reference = await referenceOf(shape, weights);
  const { vocab } = shape;
  const prompts = ['Once upon a time', 'The old dog'];
  const alone: number[][] = [];
  for (const prompt of prompts) {
    const inputs = tokenizer(prompt);
    const generated = (await model.generate({ ...inputs, max_new_tokens: newTokens, do_sample: false })) as Tensor;
    alone.push((generated.tolist() as bigint[][])[0]!.map(Number));
  }
  const ids = alone[0]!;
  const want = modelLogits(shape, reference, ids);
  const scale = want.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const { logits } = (await model({ ...tokenizer(prompts[0]!) })) as Outputs;
  const got = logits.data as Float32Array;
  const count = ids.length - newTokens;
  expect(logits.dims).toEqual([1, count, vocab]);
  const worst = got.reduce((most, value, at) => Math.max(most, Math.abs(value - want[at]!)), 0);
  expect(worst / scale).toBeLessThan(bound);
  ids.slice(count).forEach((id, at) => {
    const row = want.subarray((count - 1 + at) * vocab, (count + at) * vocab);
    // Its own choice, or in f16 one as good.
    expect(row[id]!).toBeGreaterThanOrEqual(Math.max(...row) - (dtype === 'f32' ? 0 : 2 * bound * scale));
  });
  tokenizer.padding_side = 'left';
  const inputs = tokenizer(prompts, { padding: true });
  const both = (await model.generate({ ...inputs, max_new_tokens: newTokens, do_sample: false })) as Tensor;
  const rows = (both.tolist() as bigint[][]).map((row) => row.map(Number));
  rows.forEach((row, at) => {
    expect(row.slice(-newTokens)).toEqual(alone[at]!.slice(-newTokens));
  });
  await model.dispose();
});
