/** @file Graphs in transformers.js's layout on onnxruntime-node: the float64 model's logits, alone and in a padded batch. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readModel, type TestModel } from '../engine/testing/testWeights';
import type { BiasRole, ModelShape } from '../model/shape';
import { modelLogits } from '../numerics/model';
import { createRandom, randomInt } from '../numerics/random';
import { goldenNames } from '../pruning/testing/goldenCuts';
import { checkGraph } from './check';
import { buildGraph } from './graph';
import { randomModel, tinyShape } from './testing/randomModel';
import { openMasked } from './testing/runMasked';
import { transformersLayout } from './transformersLayout';

const fixtures = fileURLToPath(new URL('../../tools/golden/fixtures/', import.meta.url));
const biases: readonly BiasRole[] = ['qBias', 'oBias', 'downBias'];

const uneven: ModelShape = tinyShape([
  [4, 2, 16, 40],
  [2, 1, 16, 17],
  [0, 0, 16, 40],
  [6, 6, 16, 0],
]);
/** Heads that GroupQueryAttention does not rotate, and a window shorter than the text. */
const narrowHeads: ModelShape = {
  ...tinyShape([
    [4, 2, 8, 40],
    [4, 2, 8, 40],
  ]),
  layers: uneven.layers.slice(0, 2).map((layer) => ({ ...layer, headDim: 8, window: 5, biases })),
};
/** Heads that it does not take, beside heads that it takes. */
const oddHeads: ModelShape = {
  ...tinyShape([
    [4, 2, 12, 40],
    [4, 2, 16, 40],
    [0, 0, 16, 40],
  ]),
  logitSoftcap: 8,
};
const noAttention = tinyShape([
  [0, 0, 16, 40],
  [0, 0, 16, 20],
]);

const models: [string, TestModel][] = [
  ...goldenNames.map((name): [string, TestModel] => [name, readModel(fixtures + name)]),
  ['uneven layers', randomModel(uneven)],
  ['heads that are rotated separately, in windows', randomModel(narrowHeads)],
  ['heads that need another attention', randomModel(oddHeads)],
  ['no attention', randomModel(noAttention)],
];

describe.each(models)('%s', (_, { shape, weights, reference }) => {
  test('alone, token by token, and in a padded batch', async () => {
    const graph = buildGraph(shape, weights, { maxPositions: 64, layout: transformersLayout(shape) });
    const files = await Promise.all(
      graph.externalFiles.map(async (path) => ({
        path,
        data: new Uint8Array(await (await graph.file(path)).arrayBuffer()),
      })),
    );
    const sizes = Object.fromEntries(files.map(({ path, data }) => [path, data.length]));
    expect(checkGraph(graph.model, sizes)).toEqual([]);
    const random = createRandom(7);
    const text = (length: number) => Array.from({ length }, () => randomInt(random, shape.vocab));
    const [long, short] = [text(14), text(10)];
    const { vocab } = shape;
    const want = [long, short].map((tokens) => modelLogits(shape, reference, tokens));
    const scale = want[0]!.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    const near = (got: Float32Array, wanted: Float64Array, what: string) => {
      expect(got.length, what).toBe(wanted.length);
      const worst = wanted.reduce((most, value, at) => Math.max(most, Math.abs(value - got[at]!)), 0);
      expect(worst / scale, what).toBeLessThan(1e-5);
    };
    const rows = (of: number, from: number, to: number) => want[of]!.slice(from * vocab, to * vocab);

    const alone = await openMasked(graph, shape, files);
    near(await alone.step([long.slice(0, 9)]), rows(0, 0, 9), 'the prompt');
    near(await alone.step([long.slice(9, 12)], 2), rows(0, 10, 12), 'the last two of three behind it');
    for (let at = 12; at < 14; at++) near(await alone.step([[long[at]!]], 1), rows(0, at, at + 1), `token ${at}`);
    const both = await openMasked(graph, shape, files);
    // Prompts of 9 and 5 tokens: four places of padding.
    const logits = await both.step([long.slice(0, 9), short.slice(0, 5)]);
    near(logits.slice(0, 9 * vocab), rows(0, 0, 9), 'the longer prompt');
    near(logits.slice((9 + 4) * vocab), rows(1, 0, 5), 'the padded prompt');
    for (let at = 0; at < 5; at++) {
      const next = await both.step([[long[9 + at]!], [short[5 + at]!]], 1);
      near(next.slice(0, vocab), rows(0, 9 + at, 10 + at), `token ${at} of the longer`);
      near(next.slice(vocab), rows(1, 5 + at, 6 + at), `token ${at} of the padded`);
    }
  });
});
