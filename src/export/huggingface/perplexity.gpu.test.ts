/** @file A folder that was exported and loaded back has the same losses in the engine, to the last bit. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Engine } from '../../engine/engine';
import { sharedTestDevice } from '../../engine/testing/harness';
import { loadModel } from '../../shards/download/load';
import { openSource } from '../../shards/sources/openSource';
import { newStore } from '../../shards/testing/memory';
import { variantCase } from '../testing/cases';
import { chosenAgain } from '../testing/source';
import write from './write';

const golden = JSON.parse(readFileSync('tools/golden/fixtures/tiny-qwen3/golden.json', 'utf8')) as {
  calibration_token_ids: number[][];
};

test.each(['depth', 'uneven', 'sub-blocks'] as const)('tiny-qwen3, %s', async (kind) => {
  const source = (await variantCase('tiny-qwen3', kind))!;
  const repository = await openSource(await chosenAgain(await write(source, {})), { baseUrl: 'https://page.test/' });
  const { checkpoint } = await loadModel(repository, await newStore({ chunkBytes: 2 ** 20 }));
  const losses = async (
    shape: typeof source.shape,
    weights: typeof source.view.weights,
  ): Promise<readonly number[]> => {
    const engine = await Engine.create(await sharedTestDevice(), { shape, weights });
    try {
      const { sumNll } = await engine.score(shape.layers, golden.calibration_token_ids);
      return Array.from(sumNll);
    } finally {
      engine.dispose();
    }
  };
  const exported = await losses(source.shape, source.view.weights);
  expect(await losses(checkpoint.config.shape, checkpoint)).toEqual(exported);
  expect(exported).toHaveLength(golden.calibration_token_ids.length);
});
