/**
 * @file Whole gradients from the backward pass against the float64 model: every weight, norm, bias and table, element by element. So
 * the pass can serve training.
 */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { layerRoles, type ModelShape, modelRoles } from '../../model/shape';
import { modelMeanNll } from '../../numerics/model';
import { modelGradients } from '../../numerics/modelBackward';
import '../testing/allclose';
import { Buffers } from '../gpu/buffers';
import { CommandQueue } from '../gpu/commandQueue';
import type { GpuContext } from '../gpu/device';
import { KernelChoice } from '../kernels/kernelChoice';
import { sharedTestDevice } from '../testing/harness';
import { block, noAttention, randomModel, type TestModel, tinyShape, yarn } from '../testing/testWeights';
import { uploadWeights } from '../weights/modelWeights';
import { backwardPass } from './backwardPass';
import { Forward } from './forward';
import { BlockGradientBuffers, type Gradient, VocabularyGradientBuffers } from './gradientBuffers';
import type { EngineParts } from './runtime';
import { makeBatches } from './sequences';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

const attentionBiases = ['qBias', 'kBias', 'vBias', 'oBias'] as const;
const mlpBiases = ['gateBias', 'upBias', 'downBias'] as const;

/** LLaMA with every bias, with some, and without a sub-block; an odd width and a head of its own. */
const llama: ModelShape = {
  ...tinyShape([
    block(0, { biases: [...attentionBiases, ...mlpBiases] }),
    block(1, { heads: 2, kvHeads: 1, headDim: 6, ffn: 21, biases: ['vBias', 'upBias'] }),
    block(2, { ffn: 0, biases: ['kBias', 'oBias'], rope: { theta: 500, scaling: yarn } }),
    block(3, { ...noAttention, biases: ['gateBias', 'downBias'] }),
  ]),
  hidden: 33,
  tiedHead: false,
};
/** Norms of heads, sliding windows, a tied head. */
const qwen: ModelShape = tinyShape([
  block(0, { qkNorm: 'head', window: 3, biases: attentionBiases }),
  block(1, { heads: 2, kvHeads: 1, headDim: 12, ffn: 21, qkNorm: 'all', window: 2 }),
]);
/** Norms before and after sub-blocks, caps, GELU, a scaled embedding, biases whose output is normalized. */
const gemma: ModelShape = {
  ...tinyShape([
    block(0, { activation: 'gelu_tanh', normPlacement: 'both', qkNorm: 'head', attnScale: 0.2, biases: mlpBiases }),
    block(1, { normPlacement: 'post', qkNorm: 'all', biases: [...attentionBiases, 'downBias'] }),
    block(2, { activation: 'gelu_tanh', normPlacement: 'both', scoreSoftcap: 2, window: 4 }),
  ]),
  normOffset: 1,
  embedScale: 5.5,
  logitSoftcap: 4,
};

/** So different in length that they make several batches, the first of them with padding, the last without a prediction. */
const sequences = [[1, 5, 9, 13, 17, 21, 25, 29, 33], [66, 0, 2, 4, 3, 3, 3], [40, 41, 42, 43, 44], [8, 9], [7]];

const opened: { buffers: Buffers; queue: CommandQueue }[] = [];
afterEach(() => {
  for (const { buffers, queue } of opened.splice(0)) {
    queue.dispose();
    buffers.dispose();
  }
});

/** The parts of an engine; with `weightBytes` 0 the blocks alternate on the GPU, and their inputs wait in memory. */
async function open({ shape, weights: source }: TestModel, weightBytes?: number): Promise<EngineParts> {
  const buffers = new Buffers(context);
  const queue = new CommandQueue(context);
  opened.push({ buffers, queue });
  const vocabPartBytes = 24 * shape.hidden * 4;
  const weights = await uploadWeights(context, buffers, shape, source, { weightBytes, vocabPartBytes });
  const blocks = weights.blocks.reader(queue);
  const parts = { context, shape, buffers, queue, weights, blocks, choice: new KernelChoice(context.info, {}) };
  const inputBytes = weightBytes ?? 2 ** 20;
  return { ...parts, forward: new Forward(parts), sweepBytes: 2 ** 20, inputBytes, logitBytes: 1024 };
}

/** Every gradient by the name of its weight, and the mean loss that a hook saw. */
async function gradientsOf(parts: EngineParts, keepBytes = 0) {
  const { buffers, queue } = parts;
  const found = new Map<string, Float32Array>();
  const read = async (name: string, { buffer, count }: Gradient): Promise<void> => {
    found.set(name, new Float32Array(await queue.read(buffer, count * 4)));
  };
  const batches = makeBatches(sequences, 32);
  expect(batches.length).toBeGreaterThan(1);
  const vocabulary = new VocabularyGradientBuffers(parts);
  const { loss: meanNll } = await backwardPass(parts, batches, {
    stage: 'test',
    keepBytes,
    sinkFor(place) {
      const sink = new BlockGradientBuffers(parts);
      const finish = async (): Promise<void> => {
        for (const [role, gradient] of sink.gradients) {
          await read(place === 'finalNorm' ? role : `${role} ${place}`, gradient);
        }
        sink.release();
      };
      return Object.assign(sink, { finish });
    },
    vocabulary,
  });
  for (const [role, gradient] of vocabulary.gradients) await read(role, gradient);
  vocabulary.release();
  buffers.endTask();
  return { found, meanNll };
}

function expectGradients({ shape, reference }: TestModel, found: ReadonlyMap<string, Float32Array>): void {
  const expected = modelGradients(shape, reference, sequences);
  const names = [
    ...modelRoles(shape),
    ...shape.layers.flatMap((layer, index) => layerRoles(layer).map((role) => `${role} ${index}`)),
  ];
  expect([...found.keys()].sort()).toEqual([...names].sort());
  for (const name of names) {
    const [role, index] = name.split(' ');
    const gradient =
      index === undefined
        ? expected[role as 'embed']
        : expected.layers[shape.layers[Number(index)]!.source]![role as 'qProj']!;
    const largest = Math.max(...gradient.map(Math.abs));
    // The smallest are those of key biases: without rotation and norms the softmax would not see such a bias at all.
    expect(largest, name).toBeGreaterThan(1e-6);
    expect(found.get(name), name).toBeAllclose(gradient, { rtol: 1e-3, atol: 2e-5 * largest });
  }
}

describe.each([
  ['LLaMA with biases, an odd width, a head of its own', llama],
  ['norms of heads, sliding windows, a tied head', qwen],
  ['norms on inputs and outputs, caps, GELU', gemma],
])('%s', (_, shape) => {
  // In F16, whose kernels the tests of Taylor compile too.
  const model = randomModel(shape, 'F16');

  test('every gradient, and the loss', async () => {
    const parts = await open(model);
    const { found, meanNll } = await gradientsOf(parts);
    expectGradients(model, found);
    expect(meanNll).toBeCloseTo(modelMeanNll(shape, model.reference, sequences), 5);
  });
});

test('blocks that take turns on the GPU, or tapes that are kept, change no gradient', async () => {
  const model = randomModel(llama, 'F16');
  const { found } = await gradientsOf(await open(model));
  expectGradients(model, found);
  const offloaded = await gradientsOf(await open(model, 0));
  expect(offloaded.found).toEqual(found);
  const kept = await gradientsOf(await open(model), 2 ** 30);
  for (const [name, gradient] of found) {
    const atol = 1e-5 * Math.max(...gradient.map(Math.abs));
    expect(kept.found.get(name), name).toBeAllclose(gradient, { rtol: 1e-4, atol });
  }
});

test('sequences that predict nothing are refused', async () => {
  const parts = await open(randomModel(qwen, 'F16'));
  const sinkFor = () => new BlockGradientBuffers(parts);
  const pass = backwardPass(parts, makeBatches([[1], [2]], 32), { stage: 'test', sinkFor });
  await expect(pass).rejects.toMatchObject({ code: 'bad-argument' });
});
