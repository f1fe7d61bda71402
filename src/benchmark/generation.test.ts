import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { modelLogits } from '../numerics/model';
import { createRandom } from '../numerics/random';
import { median, standardDeviation } from '../numerics/statistics';
import { randomModel, tinyShape } from '../onnx/testing/randomModel';
import { generateTokens } from './generate';
import { measureLatency } from './latency';
import { argmax, sampleToken } from './sampling';
import { openSession } from './session';
import { readCheckpointFolder } from './testing/checkpointFolder';
import { nodeLibrary } from './testing/nodeLibrary';

const model = randomModel(
  tinyShape([
    [4, 2, 16, 40],
    [4, 2, 8, 40],
  ]),
);
const openModel = (maxPositions = 64, opened = model) =>
  openSession({ ...opened, runtime: 'ort-wasm', library: nodeLibrary, maxPositions });
/** Tokens fall out of the first window at the fifth position: most of a text is written behind its end. */
const windowed = randomModel({
  ...model.shape,
  layers: model.shape.layers.map((layer, index) => ({ ...layer, window: 4 + index, qkNorm: 'head' as const })),
});

test.each([
  ['a plain model', model],
  ['sliding windows and norms of heads', windowed],
])("greedy generation takes the float64 model's best token each time: %s", async (_, model) => {
  const session = await openModel(64, model);
  const heard: number[] = [];
  const options = { newTokens: 12, temperature: 0, onToken: (id: number) => heard.push(id) };
  const got = await generateTokens(session, [5, 17, 3], options);
  const tokens = [5, 17, 3];
  for (const id of got) {
    const last = modelLogits(model.shape, model.reference, tokens).slice(-model.shape.vocab);
    expect(id).toBe(argmax(Float32Array.from(last)));
    tokens.push(id);
  }
  expect(got.length).toBe(12);
  expect(heard).toEqual(got);
  expect(await generateTokens(session, [5, 17, 3], { ...options, stopTokens: [got[4]!] })).toEqual(
    got.slice(0, got.indexOf(got[4]!) + 1),
  );
  await session.release();
});

test('sampling repeats with its seed; the context ends a text', async () => {
  const session = await openModel(20);
  const write = (seed: number) => generateTokens(session, [1, 2, 3, 4], { newTokens: 100, temperature: 1, seed });
  const first = await write(1);
  expect(first.length).toBe(17); // 20 positions, and one token that is not fed back
  expect(await write(1)).toEqual(first);
  expect(await write(2)).not.toEqual(first);
  await expect(generateTokens(session, [])).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(generateTokens(session, new Array(21).fill(1))).rejects.toMatchObject({ code: 'bad-argument' });
  const stopped = generateTokens(session, [1], { signal: AbortSignal.abort() });
  await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  await session.release();
});

test('top k and top p keep the likeliest tokens, temperature flattens', () => {
  const logits = Float32Array.from([0.5, 0.3, 0.15, 0.05], Math.log);
  const shares = (options: Parameters<typeof sampleToken>[1]) => {
    const random = createRandom(11);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) counts[sampleToken(logits, options, random)]! += 1 / 20_000;
    return counts;
  };
  const near = (got: number[], want: number[]) => {
    for (const [i, share] of want.entries()) expect(Math.abs(got[i]! - share)).toBeLessThan(0.015);
  };
  near(shares({}), [0.5, 0.3, 0.15, 0.05]);
  near(shares({ topK: 2 }), [0.625, 0.375, 0, 0]);
  near(shares({ topP: 0.7 }), [0.625, 0.375, 0, 0]);
  near(shares({ topP: 0.01 }), [1, 0, 0, 0]);
  near(shares({ temperature: 0 }), [1, 0, 0, 0]);
  near(
    shares({ temperature: 0.5 }),
    [0.25, 0.09, 0.0225, 0.0025].map((share) => share / 0.365),
  );
});

test('logits that are no numbers choose no token', () => {
  const random = createRandom(1);
  for (const logits of [
    [0, Number.NaN, 1],
    [Number.NaN, 0, 1],
    [0, Number.POSITIVE_INFINITY, 1],
  ]) {
    for (const temperature of [0, 1]) {
      const choose = () => sampleToken(Float32Array.from(logits), { temperature }, random);
      expect(choose).toThrow(expect.objectContaining({ code: 'non-finite' }));
    }
  }
  // A token that can never come is one among others.
  expect(sampleToken(Float32Array.of(Number.NEGATIVE_INFINITY, 0), { temperature: 1 }, random)).toBe(1);
});

test('latency counts whole generations, batch by batch', async () => {
  const session = await openModel();
  let last = 0;
  const results = await measureLatency(session, {
    promptTokens: 6,
    newTokens: 5,
    batchSizes: [1, 3],
    warmups: 1,
    runs: 3,
    onProgress: ({ done, total }) => {
      expect(done).toBeGreaterThan(last);
      expect(total).toBe(4 * 4 * 5);
      last = done;
    },
  });
  expect(last).toBe(80);
  expect(results.map(({ batch }) => batch)).toEqual([1, 3]);
  for (const result of results) {
    expect(result.prefillMs).toBeGreaterThan(0);
    expect(result.latencyMs).toBeGreaterThan(result.prefillMs);
    expect(result.decodeMsPerToken).toBeGreaterThan(0);
    expect(result.throughput).toBeCloseTo((1000 * result.batch * 5) / result.latencyMs, 6);
    expect(result.peakBytes).toBe(
      session.graph.report.weightBytes + result.batch * 4 * 2 * (2 * 16 + 2 * 8) * (9 + 10),
    );
  }
  await session.release();
});

test('no time is given for a wrong result', async () => {
  const session = await openModel();
  const spoilt = {
    ...session,
    forward: async (input: Parameters<typeof session.forward>[0]) => {
      const logits = await session.forward(input);
      return input.cache && input.tokens.length === 1 ? logits.map((value) => value + 1) : logits;
    },
  };
  await expect(measureLatency(spoilt, { newTokens: 2 })).rejects.toMatchObject({ code: 'self-check' });
  const infinite = { ...session, forward: async () => Float32Array.of(Number.POSITIVE_INFINITY) };
  await expect(measureLatency(infinite, { newTokens: 2 })).rejects.toMatchObject({ code: 'non-finite' });
  await expect(measureLatency(session, { runs: 0 })).rejects.toMatchObject({ code: 'bad-argument' });
  const controller = new AbortController();
  const stopped = measureLatency(session, {
    newTokens: 9,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  await session.release();
});

test('median and standard deviation by hand', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(standardDeviation([2, 4, 6])).toBe(2);
  expect(standardDeviation([7])).toBe(0);
});

const shared = resolve(import.meta.dirname, '../../../shared');

test.skipIf(!existsSync(shared))('golden greedy text (needs the reference files beside the project)', async () => {
  const { ids } = JSON.parse(readFileSync(`${shared}/golden/stories260K.json`, 'utf8')).greedy_from_bos;
  const { shape, weights } = readCheckpointFolder(`${shared}/models/stories260K`);
  const session = await openSession({ shape, weights, runtime: 'ort-wasm', library: nodeLibrary });
  expect(await generateTokens(session, [1], { newTokens: ids.length - 1, temperature: 0 })).toEqual(ids.slice(1));
  await session.release();
});

test('logits that are not numbers give no token', () => {
  const random = createRandom(1);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const temperature of [0, 1]) {
      expect(() => sampleToken(Float32Array.of(bad, 1, 2), { temperature }, random)).toThrow(
        expect.objectContaining({ code: 'non-finite', message: expect.stringContaining(`token 0 is ${bad}`) }),
      );
    }
  }
  // Of a token that is ruled out nothing is wrong.
  expect(sampleToken(Float32Array.of(Number.NEGATIVE_INFINITY, 1, 2), { temperature: 0 }, random)).toBe(2);
});
