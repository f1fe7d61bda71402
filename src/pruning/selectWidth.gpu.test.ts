/** @file Wanda-sp in sequence against PyTorch's selections; zero channels stand for channels that are not there. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import '../engine/testing/allclose';
import { Engine, type KeepChoice, type WidthStatistics } from '../engine/engine';
import type { GpuContext } from '../engine/gpu/device';
import { longTier, sharedTestDevice } from '../engine/testing/harness';
import { block, noAttention, randomModel, readModel, tinyShape } from '../engine/testing/testWeights';
import { measureWidth } from '../importance/measure';
import { widthMethodOf } from '../importance/methods';
import { pruned } from './cuts';
import { type KeptByLayer, planOfUnits } from './plan';
import { selectByLayer, selectWidth } from './selectWidth';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

const read = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

interface Cut {
  readonly keepHeads: KeptByLayer;
  readonly keepNeurons: KeptByLayer;
}

/** Scores of one block are chosen by, and the next one sees what stays: PyTorch's lists at a share of every block. */
async function expectSelection(folder: string, sequences: number[][], share: number, cut: Cut): Promise<void> {
  const model = readModel(folder);
  const { shape, weights } = model;
  const engine = await Engine.create(context, model);
  const how = { method: 'wanda-sp', ratio: share, asPublished: true } as const;
  const setting = { probe: engine, shape, weights, sequences, seed: 1, keep: selectByLayer(shape, how) };
  const scores = await measureWidth(widthMethodOf('wanda-sp'), setting);
  engine.dispose();
  const { kept } = selectWidth(shape, { ...how, scores });
  const every = (count: number) => Array.from({ length: count }, (_, head) => head);
  expect(kept.keepHeads.map((list, index) => list ?? every(shape.layers[index]!.heads))).toEqual(cut.keepHeads);
  expect(kept.keepNeurons).toEqual(cut.keepNeurons);
}

const fixtures = fileURLToPath(new URL('../../tools/golden/fixtures/', import.meta.url));
const names = ['tiny-biases', 'tiny-gemma'];
const more = [
  'tiny-a',
  'tiny-olmo2',
  'tiny-b',
  'tiny-c',
  'tiny-gemma2',
  'tiny-gemma3',
  'tiny-llama3',
  'tiny-mistral',
  'tiny-qwen2',
  'tiny-qwen3',
];
test.each(longTier ? [...names, ...more] : names)('%s: Wanda-sp in sequence as in PyTorch', async (name) => {
  const cuts = read<Record<string, Cut>>(`${fixtures}${name}/cuts.json`);
  const golden = read<{ calibration_token_ids: number[][] }>(`${fixtures}${name}/golden.json`);
  await expectSelection(fixtures + name, golden.calibration_token_ids, 0.5, cuts['wanda-sp-sequential 0.5']!);
});

const cutsFile = '../shared/golden/stories260K-cut.json';
describe.skipIf(!existsSync(cutsFile))('skipped when ../shared is not beside the project', () => {
  test('stories260K: Wanda-sp in sequence as in PyTorch, which differs from the dense pass', async () => {
    const { width } = read<{ width: Record<string, Cut> }>(cutsFile);
    const golden = read<{ calibration_token_ids: number[][] }>('../shared/golden/stories260K.json');
    const cut = width['wanda-sp-sequential']!;
    expect(cut).not.toMatchObject({ keepNeurons: width['wanda-sp']!.keepNeurons });
    await expectSelection('../shared/models/stories260K', golden.calibration_token_ids, 0.25, cut);
  });
});

describe('block by block', () => {
  const shape = tinyShape([
    block(0, { biases: ['qBias', 'kBias', 'vBias', 'oBias', 'gateBias', 'upBias', 'downBias'] }),
    block(1, noAttention),
    block(2, { normPlacement: 'both' }),
    block(3, { ffn: 0 }),
    block(4),
  ]);
  const model = randomModel(shape, 'F16');
  /** Several batches, with padding. */
  const sequences = [[1, 5, 9, 13, 17, 21, 25, 29, 33], [66, 0, 2, 4, 3, 3, 3], [40, 41, 42, 43, 44], [8, 9], [7]];
  /** Of each block one group and a part of the neurons; all of block 2's MLP. */
  const heads = [[2, 3], null, [0, 1], [0, 1], null];
  const neurons = [[0, 3, 4, 10, 43], [1, 2], null, null, [5]];
  const keep: KeepChoice = (index) => ({ heads: heads[index]!, neurons: neurons[index]! });

  test('zero channels stand for removed ones: a block has the statistics that it has in the pruned model', async () => {
    const engine = await Engine.create(context, model);
    const found = await engine.widthInSequence(sequences, keep);
    const dense = await engine.widthStatistics(sequences);
    expect([found.samples, found.tokens]).toEqual([5, 24]);
    expect(found.layers[0]).toEqual(dense.layers[0]);
    for (let index = 1; index < shape.layers.length; index++) {
      const until = (lists: KeptByLayer) => lists.map((list, layer) => (layer < index ? list : null));
      const plan = planOfUnits('m', [], { keepHeads: until(heads), keepNeurons: until(neurons) });
      const view = await engine.open({ id: `before ${index}`, ...pruned(model, plan) });
      const { layers } = await view.widthStatistics(sequences);
      await view.close();
      for (const half of ['attention', 'mlp'] as const) {
        const [ours, theirs] = [found.layers[index]![half], layers[index]![half]];
        expect(ours === null).toBe(theirs === null);
        if (ours === null || theirs === null) continue;
        expect(ours.mean).toBeAllclose(theirs.mean, { rtol: 1e-3, atol: 1e-5 });
        expect(ours.deviations).toBeAllclose(theirs.deviations, { rtol: 1e-3, atol: 1e-5 });
        // It is not what the block has in the dense model.
        expect(ours.mean).not.toBeAllclose(dense.layers[index]![half]!.mean, { rtol: 1e-3, atol: 1e-3 });
      }
    }
    engine.dispose();
  });

  test('the same with blocks and streams that do not fit on the GPU, for about two passes', async () => {
    const whole = await Engine.create(context, model);
    const streaming = await Engine.create(context, model, { memoryBytes: 1 });
    const asked: number[] = [];
    const choose: KeepChoice = (index, found) => {
      asked.push(index);
      return keep(index, found);
    };
    expect(await streaming.widthInSequence(sequences, choose)).toEqual(await whole.widthInSequence(sequences, keep));
    expect(asked).toEqual([0, 1, 2, 3, 4]);
    // Every block comes once: both passes through it follow one another.
    const { streamedBytes, bytes } = streaming.memory().blocks;
    expect(streamedBytes).toBeLessThanOrEqual(bytes);
    streaming.dispose();
    whole.dispose();
  });

  test('as a task: progress to its end, cancel, and a choice that fails; nothing stays on the GPU', async () => {
    const engine = await Engine.create(context, model);
    const seen: number[] = [];
    const found: WidthStatistics = await engine.widthInSequence(sequences, keep, {
      onProgress: ({ done }) => seen.push(done),
    });
    expect(found.layers).toHaveLength(5);
    expect([seen[0], seen.at(-1)]).toEqual([0, 24]);
    const { liveBytes } = engine.memory();
    const controller = new AbortController();
    const stopped = engine.widthInSequence(sequences, keep, {
      signal: controller.signal,
      onProgress: ({ done }) => done > 5 && controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    const failing = engine.widthInSequence(sequences, () => {
      throw new RangeError('no choice');
    });
    await expect(failing).rejects.toThrow('no choice');
    expect(engine.memory().liveBytes).toBe(liveBytes);
    engine.dispose();
  });
});
