/** @file A real trained model in two forms, from files as a user would choose them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type LoadedModel, loadModel } from '../download/load';
import { newStore } from '../testing/memory';
import { openSource } from './openSource';

const models = join(process.cwd(), '../shared/models');
const absent = !existsSync(models);

async function load(name: string): Promise<LoadedModel> {
  const folder = join(models, name);
  const files = readdirSync(folder).map((file) => new File([readFileSync(join(folder, file))], file));
  return loadModel(await openSource(files, { baseUrl: 'https://page.test/' }), await newStore({ chunkBytes: 2 ** 16 }));
}

/** float16 → number. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

test.skipIf(absent)(
  'stories260K: F32 in one file and F16 in three shards hold the same weights (skipped where ../shared is absent)',
  async () => {
    const single = await load('stories260K');
    const sharded = await load('stories260K-f16-sharded');
    expect(single.stored.summary).toMatchObject({ dtype: 'F32', parameters: 260032, tokenizer: true });
    expect(sharded.stored.summary).toMatchObject({ dtype: 'F16', parameters: 260032, tokenizer: true });
    expect(sharded.stored.summary.shape).toEqual(single.stored.summary.shape);
    for (const [role, layer] of [
      ['qProj', 0],
      ['kProj', 2],
      ['downProj', 4],
      ['mlpNorm', 3],
    ] as const) {
      const a = single.checkpoint.layerTensor(role, layer);
      const b = sharded.checkpoint.layerTensor(role, layer);
      expect(b.dims).toEqual(a.dims);
      const full = new Float32Array((await single.checkpoint.read(a)).buffer);
      const halves = new Uint16Array((await sharded.checkpoint.read(b)).buffer);
      expect(halves.length).toBe(full.length);
      const differences = Array.from(full, (value, i) => Math.abs(half(halves[i]!) - value) / (Math.abs(value) + 1e-3));
      expect(Math.max(...differences)).toBeLessThan(2 ** -10);
    }
  },
);
