/** @file Decoding with a cache against the float64 model: every step's logits are those of the whole text so far. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LayerShape, ModelShape } from '../../model/shape';
import { modelLogits } from '../../numerics/model';
import '../testing/allclose';
import { Engine, type EngineOptions } from '../engine';
import type { GpuContext } from '../gpu/device';
import { sharedTestDevice } from '../testing/harness';
import { block, noAttention, randomModel, type TestModel, tinyShape, yarn } from '../testing/testWeights';

let context: GpuContext;
const engines: Engine[] = [];
beforeAll(async () => {
  context = await sharedTestDevice();
});
afterEach(() => {
  for (const engine of engines.splice(0)) engine.dispose();
});

async function open(model: Pick<TestModel, 'shape' | 'weights'>, options: EngineOptions = {}): Promise<Engine> {
  const engine = await Engine.create(context, model, options);
  engines.push(engine);
  return engine;
}

const biases = ['qBias', 'kBias', 'vBias'] as const;
const mlpBiases = ['gateBias', 'upBias', 'downBias'] as const;
const plain = tinyShape([block(0), block(1, { heads: 2, kvHeads: 1, headDim: 12, ffn: 21 }), block(2)]);
/** Windows shorter than the text, biases, norms of heads, a scaled rotary embedding, sub-blocks that are not there. */
const features: ModelShape = {
  ...tinyShape([
    block(0, { window: 3, biases: [...biases, ...mlpBiases] }),
    block(1, { heads: 2, kvHeads: 1, headDim: 12, ffn: 21, qkNorm: 'head', window: 1 }),
    block(2, { ffn: 0, qkNorm: 'head', biases: [...biases, 'oBias'], rope: { theta: 500, scaling: yarn } }),
    block(3, { ...noAttention, ffn: 43, biases: ['upBias', 'downBias'] }),
    block(4, { heads: 3, kvHeads: 3, headDim: 6, biases: [...biases, 'oBias'], window: 7 }),
  ]),
  tiedHead: false,
};
/** What Gemma and OLMo 2 add. */
const gemmas: ModelShape = {
  ...tinyShape([
    block(0, { activation: 'gelu_tanh', normPlacement: 'both', qkNorm: 'head', attnScale: 0.2, window: 3 }),
    block(1, { heads: 2, kvHeads: 1, headDim: 12, ffn: 21, normPlacement: 'post', qkNorm: 'all', biases: mlpBiases }),
    block(2, { ffn: 0, normPlacement: 'both', scoreSoftcap: 2, biases: ['oBias'] }),
    block(3, { activation: 'gelu_tanh', scoreSoftcap: 1.5, window: 4 }),
  ]),
  hidden: 33,
  normOffset: 1,
  embedScale: 5.5,
  logitSoftcap: 4,
};
const text = Array.from({ length: 23 }, (_, i) => (i * 29 + 5) % 67);

/** The text in steps of these lengths; logits behind each. */
async function decoded(engine: Engine, layers: readonly LayerShape[], steps: readonly number[], stepTokens?: number) {
  const decoder = engine.decoder(layers, { positions: text.length, stepTokens });
  const found: Float32Array[] = [];
  let done = 0;
  for (const count of steps) {
    found.push(await decoder.logits(text.slice(done, done + count)));
    done += count;
    expect(decoder.filled).toBe(done);
  }
  decoder.close();
  return found;
}

describe.each([
  ['F32', plain, 'F32'],
  ['BF16, windows, biases, norms of heads', features, 'BF16'],
  ['F16, what Gemma and OLMo 2 add', gemmas, 'F16'],
] as const)('%s', (_, shape, dtype) => {
  const model = randomModel(shape, dtype);
  const lists: readonly (readonly LayerShape[])[] = [
    shape.layers,
    [{ ...shape.layers[0]!, ffn: 0 }, shape.layers[2]!, { ...shape.layers[1]!, ...noAttention }, shape.layers[0]!],
    [],
  ];

  test.each([
    ['one by one from the first token', text.map(() => 1), undefined],
    ['a prompt at once, then one by one', [15, ...Array.from({ length: 8 }, () => 1)], undefined],
    ['a prompt in steps of four', [14, 1, 1, 6, 1], 4],
  ] as const)('%s', async (_name, steps, stepTokens) => {
    const engine = await open(model, { vocabPartBytes: 24 * shape.hidden * 4 });
    for (const layers of lists) {
      const found = await decoded(engine, layers, steps, stepTokens);
      const all = modelLogits({ ...shape, layers }, model.reference, text);
      let done = 0;
      for (const [index, count] of steps.entries()) {
        done += count;
        const expected = all.slice((done - 1) * shape.vocab, done * shape.vocab);
        expect(found[index]).toBeAllclose(expected, { rtol: 1e-4, atol: 5e-5 });
      }
    }
  });

  test('blocks that take turns, or a forced tile: the same logits', async () => {
    const steps = [9, 1, 1, 1];
    const whole = await decoded(await open(model), shape.layers, steps);
    const streaming = await open(model, { memoryBytes: 1 });
    expect(await decoded(streaming, shape.layers, steps)).toEqual(whole);
    expect(streaming.memory().blocks.slots).toBe(2);
    for (const [index, logits] of (
      await decoded(await open(model, { kernel: 'any' }), shape.layers, steps)
    ).entries()) {
      expect(logits).toBeAllclose(whole[index]!, { rtol: 1e-4, atol: 2e-5 });
    }
  });
});

test('a text longer than the first reservation grows its cache, and a window keeps only its slots', async () => {
  const shape = { ...tinyShape([block(0), block(1, { window: 5 })]), maxPositions: 700 };
  const model = randomModel(shape, 'F16');
  const engine = await open(model);
  const long = Array.from({ length: 300 }, (_, i) => (i * 31 + 7) % 67);
  const decoder = engine.decoder(shape.layers, { positions: 300, stepTokens: 100 });
  const logits = await decoder.logits(long);
  const expected = modelLogits(shape, model.reference, long).slice(-shape.vocab);
  expect(logits).toBeAllclose(expected, { rtol: 1e-4, atol: 5e-5 });
  const other = engine.decoder(shape.layers, { positions: 1 }); // keeps the pool
  const held = engine.memory().liveBytes;
  decoder.close();
  // All 300 positions of the one layer, and of the other the window's four before a step and the step's.
  expect(held - engine.memory().liveBytes).toBe((300 + 4 + 100) * 2 * 2 * 8 * 4);
  other.close();
});

test('no buffer of a weight’s size comes with a text, and what came goes', async () => {
  const wide = { ...tinyShape([block(0, { ffn: 3000 }), block(1, { ffn: 3000 })]), vocab: 2000 };
  const model = randomModel(wide, 'F16');
  const engine = await open(model);
  const write = async (): Promise<void> => {
    const decoder = engine.decoder(wide.layers, { positions: 40 });
    for (const tokens of [[1, 2, 3], [4], [5]]) await decoder.logits(tokens);
    decoder.close();
  };
  await write(); // the table of angles
  const mlpBytes = 3 * 32 * 3000 * 2;
  const memory = engine.memory();
  memory.resetPeak();
  const before = memory.liveBytes;
  await write();
  expect(engine.memory().peakBytes - before).toBeGreaterThan(2 * 40 * 2 * 2 * 8 * 4);
  expect(engine.memory().peakBytes - before).toBeLessThan(mlpBytes / 4);
  expect(engine.memory().liveBytes).toBe(before);
});

test('a cancelled step leaves text and engine usable; another question comes between two steps', async () => {
  const model = randomModel(plain, 'F32');
  const engine = await open(model);
  const decoder = engine.decoder(plain.layers, { positions: 20 });
  await decoder.logits(text.slice(0, 5));
  const controller = new AbortController();
  const stopped = decoder.logits(text.slice(5, 9), { signal: controller.signal });
  controller.abort();
  await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  expect(decoder.filled).toBe(5);
  const order: string[] = [];
  const asked = [
    decoder.logits([text[5]!]).then(() => order.push('token')),
    engine.score(plain.layers, [text]).then(() => order.push('score')),
    decoder.logits([text[6]!]).then(() => order.push('token')),
  ];
  await Promise.all(asked);
  expect(order).toEqual(['token', 'score', 'token']);
  const logits = await decoder.logits([text[7]!]);
  const expected = modelLogits(plain, model.reference, text.slice(0, 8)).slice(-plain.vocab);
  expect(logits).toBeAllclose(expected, { rtol: 1e-4, atol: 5e-5 });
  engine.dispose();
  await expect(decoder.logits([1])).rejects.toMatchObject({ code: 'not-loaded' });
  decoder.close();
});

test('layers that the engine does not hold, and tokens that are none, are refused', async () => {
  const engine = await open(randomModel(plain, 'F32'));
  const wrong = engine.decoder([block(0, { kvHeads: 4 })], { positions: 20 });
  await expect(wrong.logits([1])).rejects.toMatchObject({ code: 'bad-argument' });
  const decoder = engine.decoder(plain.layers, { positions: 20 });
  await expect(decoder.logits([67])).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(decoder.logits([])).rejects.toMatchObject({ code: 'bad-argument' });
});
