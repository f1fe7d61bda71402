/** @file Damaged model.safetensors.index.json files: whatever loads has the bytes of the whole model. */
import { expect, test } from 'vitest';
import { LabError } from '../../src/errors';
import { parseJson } from '../../src/io/json';
import type { LayerRole } from '../../src/model/shape';
import type { Random } from '../../src/numerics/random';
import { loadModel } from '../../src/shards/download/load';
import { parseShardIndex } from '../../src/shards/formats/shardIndex';
import { openSource } from '../../src/shards/sources/openSource';
import { newStore } from '../../src/shards/testing/memory';
import { filesOf, tinyShardedFolder, tinyTensors } from '../../src/shards/testing/tinyModel';
import { forEachMutation, fuzzCount, fuzzTimeout, mutateJson, mutateText, pythonJson } from './mutate';

const indexName = 'model.safetensors.index.json';
const folder = tinyShardedFolder(3);

function mutated(random: Random, seed: number, index: unknown): string {
  return seed % 2 === 0 ? pythonJson(mutateJson(random, index)) : mutateText(random, JSON.stringify(index));
}

function typed(thrown: unknown): void {
  expect(thrown).toBeInstanceOf(LabError);
  const { code, message } = thrown as LabError;
  expect(['bad-weights', 'missing-file']).toContain(code);
  expect(message.length).toBeLessThan(600);
}

test(
  'an index never points outside its folder',
  async () => {
    const index = JSON.parse(await folder.get(indexName)!.text());
    let taken = 0;
    await forEachMutation((random, seed) => {
      const text = mutated(random, seed, index);
      try {
        const { shards, weightMap } = parseShardIndex(parseJson(text, indexName, 'bad-weights'));
        taken += 1;
        expect(new Set(weightMap.values())).toEqual(new Set(shards));
        for (const shard of shards) {
          expect(shard).toMatch(/\.safetensors$/);
          expect(new URL(shard, 'https://host.test/m/').href).toBe(`https://host.test/m/${shard}`);
          expect(shard.split('/')).not.toContain('..');
        }
      } catch (thrown) {
        typed(thrown);
      }
    });
    expect(taken).toBeGreaterThan(0);
  },
  fuzzTimeout,
);

test(
  'a model with a damaged index loads whole, or is refused',
  async () => {
    const index = JSON.parse(await folder.get(indexName)!.text());
    const tensors = tinyTensors();
    const expected = (name: string): Uint8Array => tensors.find((each) => each.name === name)!.data as Uint8Array;
    let taken = 0;
    await forEachMutation(
      async (random, seed) => {
        const files = filesOf(new Map(folder).set(indexName, new Blob([mutated(random, seed, index)])));
        try {
          const source = await openSource(files, { baseUrl: 'https://page.test/' });
          const { checkpoint } = await loadModel(source, await newStore({ chunkBytes: 4096 }));
          taken += 1;
          const { embed, down } = {
            embed: await checkpoint.read(checkpoint.modelTensor('embed')),
            down: await checkpoint.read(checkpoint.layerTensor('downProj' satisfies LayerRole, 1)),
          };
          expect(embed).toEqual(expected('model.embed_tokens.weight'));
          expect(down).toEqual(expected('model.layers.1.mlp.down_proj.weight'));
        } catch (thrown) {
          typed(thrown);
        }
      },
      Math.ceil(fuzzCount / 20),
    );
    expect(taken).toBeGreaterThan(0);
  },
  fuzzTimeout,
);
