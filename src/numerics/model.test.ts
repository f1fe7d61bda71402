/** @file The float64 model: by hand where it can be, and against PyTorch's numbers where the golden files are beside us. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hiddenStates, modelLogits, modelMeanNll, modelNll, type ReferenceShape, type ReferenceWeights } from './model';

const shape: ReferenceShape = { hidden: 2, layers: [], normEps: 0, ropeTheta: 10000 };
const weights: ReferenceWeights = {
  embed: Float64Array.of(3, 4, 1, 1, 0, 2),
  finalNorm: Float64Array.of(1, 1),
  layers: [
    {
      mlpNorm: Float64Array.of(1, 1),
      gateProj: Float64Array.of(1, 0),
      upProj: Float64Array.of(0, 1),
      downProj: Float64Array.of(1, 10),
    },
  ],
};

test('without blocks, the logits are the normed embedding times the tied head', () => {
  const logits = modelLogits(shape, weights, [1]); // (1, 1) has a root mean square of 1
  expect([...logits]).toEqual([7, 2, 2]);
  const sum = Math.exp(7) + 2 * Math.exp(2);
  expect(modelNll(shape, weights, [1, 0])[0]).toBeCloseTo(Math.log(sum) - 7, 12);
  expect(
    modelMeanNll(shape, weights, [
      [1, 0],
      [1, 2, 1],
    ]),
  ).toBeCloseTo(
    (modelNll(shape, weights, [1, 0])[0]! +
      modelNll(shape, weights, [1, 2, 1])[0]! +
      modelNll(shape, weights, [1, 2, 1])[1]!) /
      3,
    12,
  );
});

test('a sub-block of size 0 is passed by, a present one adds to the stream', () => {
  const layer = { source: 0, heads: 0, kvHeads: 0, headDim: 2, ffn: 1 };
  const [before, after] = hiddenStates({ ...shape, layers: [layer] }, weights, [1]);
  const act = 1 / (1 + Math.exp(-1)); // silu(1) · 1
  expect([...before!]).toEqual([1, 1]);
  expect(after![0]).toBeCloseTo(1 + act, 14);
  expect(after![1]).toBeCloseTo(1 + 10 * act, 14);
  const gone = hiddenStates({ ...shape, layers: [{ ...layer, ffn: 0 }] }, weights, [1]);
  expect(gone[1]).toEqual(before);
});

test('biases of the MLP: of gate and up before the activation, of down on the output', () => {
  const layer = { source: 0, heads: 0, kvHeads: 0, headDim: 2, ffn: 1 };
  const biased = {
    ...weights,
    layers: [
      {
        ...weights.layers[0],
        gateBias: Float64Array.of(1),
        upBias: Float64Array.of(2),
        downBias: Float64Array.of(3, 4),
      },
    ],
  };
  const after = (...biases: string[]) =>
    hiddenStates({ ...shape, layers: [{ ...layer, biases }] }, biased, [1])[1]!.map((value) => value - 1);
  const silu = (x: number) => x / (1 + Math.exp(-x));
  expect(after('gateBias')[0]).toBeCloseTo(silu(2), 14);
  expect(after('upBias')[0]).toBeCloseTo(3 * silu(1), 14);
  expect(after('downBias')[0]).toBeCloseTo(silu(1) + 3, 14);
  expect(after('gateBias', 'upBias', 'downBias')[1]).toBeCloseTo(10 * 3 * silu(2) + 4, 13);
});

test('weights that a layer needs and nobody gave are named', () => {
  const layer = { source: 0, heads: 1, kvHeads: 1, headDim: 2, ffn: 0 };
  expect(() => modelLogits({ ...shape, layers: [layer] }, weights, [1])).toThrow(
    'block 0: expected weights of attnNorm, got none',
  );
});

const golden = '../shared/golden/stories260K.json';
const checkpoint = '../shared/models/stories260K/model.safetensors';

describe('stories260K in float64 against PyTorch in float64', () => {
  test.skipIf(!existsSync(golden))(
    'perplexity and last logits (skipped when ../shared is not beside the project)',
    () => {
      const numbers = JSON.parse(readFileSync(golden, 'utf8')) as {
        base_ppl: number;
        ppl: number[];
        logits_last_8: number[];
        calibration_token_ids: number[][];
      };
      const model = stories(checkpoint);
      const nll = modelMeanNll(model.shape, model.weights, numbers.calibration_token_ids);
      expect(Math.abs(Math.exp(nll) / numbers.base_ppl - 1)).toBeLessThan(1e-9);
      const without3 = { ...model.shape, layers: model.shape.layers.filter((layer) => layer.source !== 3) };
      const pruned = modelMeanNll(without3, model.weights, numbers.calibration_token_ids);
      expect(Math.abs(Math.exp(pruned) / numbers.ppl[3]! - 1)).toBeLessThan(1e-9);
      // The golden logits are those of ids 0…7 at the last of the text's first 16 tokens.
      const logits = modelLogits(model.shape, model.weights, numbers.calibration_token_ids[0]!.slice(0, 16));
      const differences = numbers.logits_last_8.map((value, id) => Math.abs(value - logits[15 * 512 + id]!));
      expect(Math.max(...differences)).toBeLessThan(1e-9);
    },
  );
});

/** The float32 checkpoint, read in the smallest way that works for this one file. */
function stories(path: string): { shape: ReferenceShape; weights: ReferenceWeights } {
  const file = readFileSync(path);
  const headerBytes = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes)) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  const tensor = (name: string): Float32Array => {
    const [begin, end] = header[`model.${name}.weight`]!.data_offsets;
    return new Float32Array(new Uint8Array(file.subarray(8 + headerBytes + begin, 8 + headerBytes + end)).buffer);
  };
  const sources = [0, 1, 2, 3, 4];
  return {
    shape: {
      hidden: 64,
      layers: sources.map((source) => ({ source, heads: 8, kvHeads: 4, headDim: 8, ffn: 172 })),
      normEps: 1e-5,
      ropeTheta: 10000,
    },
    weights: {
      embed: tensor('embed_tokens'),
      finalNorm: tensor('norm'),
      layers: sources.map((source) => ({
        attnNorm: tensor(`layers.${source}.input_layernorm`),
        qProj: tensor(`layers.${source}.self_attn.q_proj`),
        kProj: tensor(`layers.${source}.self_attn.k_proj`),
        vProj: tensor(`layers.${source}.self_attn.v_proj`),
        oProj: tensor(`layers.${source}.self_attn.o_proj`),
        mlpNorm: tensor(`layers.${source}.post_attention_layernorm`),
        gateProj: tensor(`layers.${source}.mlp.gate_proj`),
        upProj: tensor(`layers.${source}.mlp.up_proj`),
        downProj: tensor(`layers.${source}.mlp.down_proj`),
      })),
    },
  };
}
