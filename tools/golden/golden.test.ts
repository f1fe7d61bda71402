/** @file The golden checkpoints through our own reading and our own float64 arithmetic: PyTorch's numbers come out. */
import 'fake-indexeddb/auto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { longTier } from '../../src/engine/testing/harness';
import { magnitudesOnCpu } from '../../src/importance/depth/magnitude';
import type { LayerRole, LayerShape, ModelRole, ModelShape } from '../../src/model/shape';
import { layerRoles, modelRoles } from '../../src/model/shape';
import type { TensorRef, WeightSource } from '../../src/model/weights';
import { cosineRows } from '../../src/numerics/cosine';
import { bf16ToF32, f16ToF32 } from '../../src/numerics/float16';
import {
  hiddenStates,
  modelLogits,
  modelMeanNll,
  type ReferenceLayerWeights,
  type ReferenceWeights,
} from '../../src/numerics/model';
import { loadModel } from '../../src/shards/download/load';
import { openFileRepository } from '../../src/shards/sources/fileRepository';
import { openShardStore } from '../../src/shards/store/shardStore';
import { openTokenizer } from '../../src/text/tokenizer';

interface Golden {
  calibration_token_ids: number[][];
  base_ppl: number;
  ppl: number[];
  ppl_attention: number[];
  ppl_mlp: number[];
  block_influence: number[];
  magnitude: number[];
  logits: { window: number; position: number; values: number[] }[];
  hidden: { token_ids: number[]; boundaries: number[][][] };
  text: string;
  text_ids: number[];
}

const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));
const bytesOf = (name: string, file: string) => new Uint8Array(readFileSync(`${fixtures}${name}/${file}`));
const jsonOf = (name: string, file: string): unknown => JSON.parse(new TextDecoder().decode(bytesOf(name, file)));

async function values(source: WeightSource, tensor: TensorRef): Promise<Float32Array> {
  const { buffer } = await source.read(tensor);
  if (tensor.dtype === 'F32') return new Float32Array(buffer);
  return tensor.dtype === 'F16' ? f16ToF32(new Uint16Array(buffer)) : bf16ToF32(new Uint16Array(buffer));
}

async function layerWeights(source: WeightSource, layer: LayerShape): Promise<Partial<ReferenceLayerWeights>> {
  const weights: Partial<Record<LayerRole, Float32Array>> = {};
  for (const role of layerRoles(layer)) weights[role] = await values(source, source.layerTensor(role, layer.source));
  return weights;
}

/** The fixture loaded as a chosen folder would be. */
async function open(name: string): Promise<{ shape: ModelShape; weights: ReferenceWeights; source: WeightSource }> {
  const names = readdirSync(fixtures + name).filter(
    (file) => !['golden.json', 'cuts.json', 'training.json', 'distillation.json'].includes(file),
  );
  const repository = await openFileRepository(names.map((file) => new File([bytesOf(name, file)], file)));
  const store = await openShardStore({ name, locks: undefined });
  const { stored, checkpoint } = await loadModel(repository, store);
  const { shape } = stored.summary;
  const outside: Partial<Record<ModelRole, Float32Array>> = {};
  for (const role of modelRoles(shape)) outside[role] = await values(checkpoint, checkpoint.modelTensor(role));
  const layers = await Promise.all(shape.layers.map((layer) => layerWeights(checkpoint, layer)));
  return {
    shape,
    source: checkpoint,
    weights: { embed: outside.embed!, finalNorm: outside.finalNorm!, ...headOf(outside), layers },
  };
}

const headOf = ({ lmHead }: Partial<Record<ModelRole, Float32Array>>) => (lmHead ? { lmHead } : {});

/** Golden numbers have ten significant digits. */
function expectNear(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value), `[${i}]: expected ${value}, got ${actual[i]}`).toBeLessThan(
      1e-8 * Math.max(1, Math.abs(value)),
    );
  });
}

describe.each([
  ...['tiny-a', 'tiny-b', 'tiny-c', 'tiny-llama3', 'tiny-mistral', 'tiny-qwen2', 'tiny-qwen3'],
  ...['tiny-gemma', 'tiny-gemma2', 'tiny-gemma3', 'tiny-olmo2', 'tiny-biases'],
])('%s', (name) => {
  const golden = jsonOf(name, 'golden.json') as Golden;

  test('hidden states agree boundary by boundary, and so do logits', async () => {
    const { shape, weights } = await open(name);
    const states = hiddenStates(shape, weights, golden.hidden.token_ids);
    golden.hidden.boundaries.forEach((rows, boundary) => void expectNear(states[boundary]!, rows.flat()));
    for (const { window, position, values: expected } of golden.logits) {
      const tokens = golden.calibration_token_ids[window]!.slice(0, position + 1);
      expectNear(modelLogits(shape, weights, tokens).slice(-shape.vocab), expected);
    }
  });

  test('perplexity of the whole model and without each block, attention and MLP', async () => {
    const { shape, weights } = await open(name);
    const perplexity = (layers: LayerShape[]) =>
      Math.exp(modelMeanNll({ ...shape, layers }, weights, golden.calibration_token_ids));
    expectNear([perplexity([...shape.layers])], [golden.base_ppl]);
    // Every block is cut by the same code, so one of each model is tried in every run. The whole file takes about twice as long with all of them (22 instead of 12 CPU seconds).
    const cuts = [...shape.layers.keys()].filter((index) => longTier || index === 1);
    const expectEach = (expected: readonly number[], change: (layer: LayerShape) => LayerShape[]): void => {
      const without = (cut: number) =>
        perplexity(shape.layers.flatMap((layer, index) => (index === cut ? change(layer) : [layer])));
      expectNear(
        cuts.map(without),
        cuts.map((cut) => expected[cut]!),
      );
    };
    expectEach(golden.ppl, () => []);
    expectEach(golden.ppl_attention, (layer) => [{ ...layer, heads: 0, kvHeads: 0 }]);
    expectEach(golden.ppl_mlp, (layer) => [{ ...layer, ffn: 0 }]);
  });

  test('block influence and magnitude', async () => {
    const { shape, weights, source } = await open(name);
    const sequences = golden.calibration_token_ids;
    const sums = shape.layers.map(() => 0);
    for (const window of sequences) {
      const states = hiddenStates(shape, weights, window);
      for (const [layer] of shape.layers.entries()) {
        sums[layer]! += cosineRows(states[layer]!, states[layer + 1]!, shape.hidden).reduce((a, b) => a + b, 0);
      }
    }
    const tokens = sequences.reduce((sum, window) => sum + window.length, 0);
    expectNear(
      sums.map((sum) => 1 - sum / tokens),
      golden.block_influence,
    );
    expectNear(await magnitudesOnCpu({ shape, weights: source }), golden.magnitude);
  });

  test('the tokenizer gives the golden ids', () => {
    const { vocab_size: vocab } = jsonOf(name, 'config.json') as { vocab_size: number };
    const tokenizer = openTokenizer(jsonOf(name, 'tokenizer.json'), jsonOf(name, 'tokenizer_config.json'), vocab);
    expect(tokenizer.encode(golden.text)).toEqual(golden.text_ids);
    expect(tokenizer.decode(golden.text_ids)).toBe(golden.text);
  });
});
