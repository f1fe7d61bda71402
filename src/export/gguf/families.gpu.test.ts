/**
 * @file Families and tokenizers in llama.cpp (its WebAssembly build, release b7179): the golden checkpoints that GGUF holds, the
 * shapes of which llama.cpp needs something special, and every kind of tokenizer. No GPU is used: this is the project with a long tier.
 */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { readCheckpointFolder } from '../../benchmark/testing/checkpointFolder';
import { longTier } from '../../engine/testing/harness';
import type { BiasRole, LayerShape, ModelShape } from '../../model/shape';
import { randomModel, tinyShape } from '../../onnx/testing/randomModel';
import { openTokenizer } from '../../text/tokenizer';
import { deviation, engineOf, type GgufModel } from '../testing/ggufEngine';
import type { LlamaCpp } from '../testing/llamaCpp';
import { namedTokens } from '../testing/modelVocabulary';
import { vocabularyPairs } from './vocabulary';

let open: LlamaCpp | null = null;
afterEach(async () => {
  await open?.close();
  open = null;
});

const someTokens = (vocab: number): number[] => Array.from({ length: 14 }, (_, i) => (7 * i * i + 3 * i + 5) % vocab);

async function expectEqual(model: GgufModel, architecture: string): Promise<void> {
  open = await engineOf(model, 'f32', namedTokens(model.shape.vocab));
  expect(open.metadata['general.architecture']).toBe(architecture);
  expect(await deviation(open, model, someTokens(model.shape.vocab))).toBeLessThan(5e-3);
}

describe.runIf(longTier)('golden checkpoints', () => {
  test.each([
    ['tiny-a', 'llama'],
    ['tiny-b', 'llama'],
    ['tiny-c', 'llama'],
    ['tiny-llama3', 'llama'],
    ['tiny-gemma', 'gemma'],
  ])('%s', async (name, architecture) => {
    await expectEqual(readCheckpointFolder(`tools/golden/fixtures/${name}`), architecture);
  });
});

const outer: readonly BiasRole[] = ['oBias', 'gateBias', 'upBias', 'downBias'];
const inputs: readonly BiasRole[] = ['qBias', 'kBias', 'vBias'];

/** Blocks as [heads, kvHeads, headDim, ffn]. */
interface Case {
  readonly name: string;
  readonly architecture: string;
  readonly layers: readonly (readonly number[])[];
  readonly shape?: Partial<ModelShape>;
  readonly layer?: Partial<LayerShape>;
}

const yarn = { kind: 'yarn', factor: 4, originalPositions: 16, betaFast: 8, betaSlow: 0.5 } as const;
const two = [
  [4, 2, 8, 64],
  [4, 2, 8, 64],
] as const;
const cases: readonly Case[] = [
  { name: 'no attention in the first block', architecture: 'deci', layers: [[0, 0, 8, 40], ...two] },
  { name: 'no attention in the last block', architecture: 'deci', layers: [...two, [0, 0, 8, 33]] },
  { name: 'no attention at all', architecture: 'deci', layers: [[0, 0, 8, 40], [0, 0, 8, 64]] }, // biome-ignore format: blocks
  {
    name: 'no MLP in the last block, and biases',
    architecture: 'deci',
    layers: [[2, 1, 8, 64], [4, 2, 8, 40], [6, 3, 8, 0]], // biome-ignore format: blocks
    layer: { biases: outer },
  },
  { name: 'blocks without anything', architecture: 'llama', layers: [two[0], [0, 0, 8, 0], two[1], [0, 0, 8, 0]] },
  {
    name: 'positions divided by a factor',
    architecture: 'llama',
    layers: two,
    layer: { rope: { theta: 1e4, scaling: { kind: 'linear', factor: 4 } } },
  },
  {
    name: 'YaRN with a factor of its own',
    architecture: 'deci',
    layers: [[4, 2, 8, 64], [4, 2, 8, 60]], // biome-ignore format: blocks
    layer: { biases: outer, rope: { theta: 1e4, scaling: { ...yarn, truncate: true, attentionFactor: 1.3 } } },
  },
  {
    name: 'Qwen2',
    architecture: 'qwen2',
    layers: two,
    shape: { family: 'qwen2', tiedHead: false },
    layer: { biases: inputs },
  },
  { name: 'Qwen3', architecture: 'qwen3', layers: two, shape: { family: 'qwen3' }, layer: { qkNorm: 'head' } },
  {
    name: 'OLMo 2 with a tied head',
    architecture: 'olmo2',
    layers: two,
    shape: { family: 'olmo2' },
    layer: { qkNorm: 'all', normPlacement: 'post' },
  },
];

describe.runIf(longTier)('shapes', () => {
  test.each(cases)('$name', async ({ architecture, layers, shape = {}, layer = {} }) => {
    const plain = tinyShape(layers, shape);
    const made: ModelShape = { ...plain, layers: plain.layers.map((each) => ({ ...each, ...layer })) };
    await expectEqual(randomModel(made), architecture);
  });
});

describe.runIf(longTier)('tokenizers', () => {
  interface Fixture {
    tokenizer: { normalizer: unknown; model: { merges: (string | string[])[] } };
    cases: { text: string; ids: number[] }[];
  }
  const fixture = (name: string): Fixture => JSON.parse(readFileSync(`tools/tokenizers/fixtures/${name}.json`, 'utf8'));

  test.each([
    ['smollm-like', 'smollm'],
    ['llama3-like', 'dbrx'],
    ['qwen-like', 'qwen2'],
  ])('%s: every text gives the same tokens', async (name, pre) => {
    const { tokenizer, cases: texts } = fixture(name);
    const vocab = openTokenizer(tokenizer, { bos_token: '<s>' }, 1000).size + 3;
    const text = async (file: string): Promise<string | null> =>
      file === 'tokenizer.json' ? JSON.stringify(tokenizer) : null;
    open = await engineOf(randomModel(tinyShape(two, { vocab })), 'f16', await vocabularyPairs(text, vocab, []));
    expect(open.metadata['tokenizer.ggml.pre']).toBe(pre);
    const composed = texts.filter((each) => each.text.normalize('NFC') === each.text);
    expect(composed.length).toBeGreaterThan(20);
    const found = [];
    for (const each of composed) found.push({ text: each.text, ids: await open.tokenize(each.text) });
    expect(found).toEqual(composed.map(({ text: given, ids }) => ({ text: given, ids })));
  });
});
