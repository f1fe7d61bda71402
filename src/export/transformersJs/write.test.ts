/** @file What an exported folder says and how its weights are written; `node.test.ts` opens such folders. */
import { expect, test } from 'vitest';
import type { ModelShape } from '../../model/shape';
import type { WeightSource } from '../../model/weights';
import { buildGraph } from '../../onnx/graph';
import { randomModel, tinyShape } from '../../onnx/testing/randomModel';
import { openMasked } from '../../onnx/testing/runMasked';
import { transformersLayout } from '../../onnx/transformersLayout';
import { variantCase } from '../testing/cases';
import { contentOf, exportSourceOf } from '../testing/source';
import { transformersJs } from './format';
import { weightFiles } from './weightFiles';
import write from './write';

test('the folder: names, sizes and fields that transformers.js reads', async () => {
  const source = (await variantCase('tiny-gemma3', 'depth'))!;
  const files = await write({ ...source, endsOfText: [1, 5], text: async () => null }, { dtype: 'f16' });
  expect(files.map(({ path }) => path)).toEqual([
    ...['README.md', 'config.json', 'generation_config.json'],
    ...['onnx/model_fp16.onnx', 'onnx/model_fp16.onnx_data'],
  ]);
  const text = async (path: string) =>
    new TextDecoder().decode(await contentOf(files.find((file) => file.path === path)!));
  const { layers } = source.shape;
  expect(JSON.parse(await text('config.json'))).toMatchObject({
    ...{ model_type: 'gemma3_text', architectures: ['Gemma3ForCausalLM'], num_hidden_layers: layers.length },
    ...{ vocab_size: source.shape.vocab, eos_token_id: [1, 5], head_dim: layers[0]!.headDim },
    'transformers.js_config': { dtype: 'fp16', use_external_data_format: { 'model_fp16.onnx': 1 } },
  });
  expect(JSON.parse(await text('generation_config.json'))).toEqual({ eos_token_id: [1, 5] });
  const card = await text('README.md');
  expect(card).toMatch(/4\.2\.0 or later/);
  expect(card).toMatch(/without tokenizer\.json/);
  expect(card).toMatch(/Matrices are stored as float16/);
});

test('a tokenizer without its configuration gets the least one; what the model came with stays as it is', async () => {
  const texts: Record<string, string> = { 'tokenizer.json': '{"a":1}', 'generation_config.json': '{"top_k":7}' };
  const source = await exportSourceOf('tiny-a');
  const files = await write({ ...source, text: async (file) => texts[file] ?? null }, {});
  const json = async (path: string): Promise<unknown> =>
    JSON.parse(new TextDecoder().decode(await contentOf(files.find((file) => file.path === path)!)));
  expect(await json('tokenizer.json')).toEqual({ a: 1 });
  expect(await json('tokenizer_config.json')).toEqual({ tokenizer_class: 'PreTrainedTokenizerFast' });
  expect(await json('generation_config.json')).toMatchObject({ top_k: 7 });
});

test('weights in several files are the same weights; nothing is read before it is asked for, and an abort ends it', async () => {
  const model = randomModel(
    tinyShape([
      [4, 2, 16, 40],
      [2, 2, 16, 17],
    ]),
    'BF16',
  );
  let reads = 0;
  const weights: WeightSource = {
    ...model.weights,
    read(ref) {
      reads += 1;
      return model.weights.read(ref);
    },
  };
  const place = { folder: 'onnx', name: 'model.onnx_data', largest: 10_000 };
  const placed = weightFiles(model.shape, weights, 'F32', place);
  expect(reads).toBe(0);
  expect(placed.files.length).toBeGreaterThan(2);
  expect(placed.files.map(({ path }) => path).slice(0, 2)).toEqual(['onnx/model.onnx_data', 'onnx/model.onnx_data_1']);
  expect(Math.max(...placed.files.map(({ bytes }) => bytes))).toBeLessThanOrEqual(10_000);
  const aborted = placed.files[0]!.pieces(AbortSignal.abort())[Symbol.asyncIterator]();
  await expect(aborted.next()).rejects.toMatchObject({ code: 'aborted' });

  const logits = async (source: WeightSource, data: { path: string; data: Uint8Array }[]) => {
    const layout = transformersLayout(model.shape);
    const running = await openMasked(buildGraph(model.shape, source, { maxPositions: 32, layout }), model.shape, data);
    return running.step([[1, 2, 3, 4]], 1);
  };
  const parts = await Promise.all(
    placed.files.map(async (file) => ({ path: file.path.replace('onnx/', ''), data: await contentOf(file) })),
  );
  const one = weightFiles(model.shape, weights, 'F32', { folder: 'onnx', name: 'all' });
  const whole = [{ path: 'all', data: await contentOf(one.files[0]!) }];
  expect([...(await logits(placed.weights, parts))]).toEqual([...(await logits(one.weights, whole))]);
});

test('what a variant runs in, and a matrix that no browser can read', () => {
  const shape = tinyShape([
    [4, 2, 16, 40],
    [4, 2, 16, 40],
  ]);
  const of = (changed: ModelShape) => ({ shape: changed }) as Parameters<typeof transformersJs.runsIn>[0];
  expect(transformersJs.runsIn(of(shape))).toBe(
    'transformers.js 4.2.0 or later runs it, in browsers (wasm and WebGPU) and in Node.',
  );
  const uneven = { ...shape, layers: [shape.layers[0]!, { ...shape.layers[1]!, kvHeads: 1 }] };
  expect(transformersJs.runsIn(of(uneven))).toMatch(/Older versions expect the same number/);
  expect(transformersJs.refusal(of(shape))).toBeNull();
  const large = { ...shape, vocab: 128_256, hidden: 4096 };
  expect(transformersJs.refusal(of(large), 'f32')).toMatchObject({
    message: expect.stringMatching(/at most 2\.00 GB.*embed.*2\.10 GB as f32/),
    remedy: "Export as 'f16'.",
  });
  expect(transformersJs.refusal(of(large), 'f16')).toBeNull();
  expect(transformersJs.refusal(of({ ...large, hidden: 16_384 }), 'f16')?.remedy).toBe('Export to another format.');
});
