import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { modelNll } from '../numerics/model';
import { createRandom, randomInt } from '../numerics/random';
import { randomModel, tinyShape } from '../onnx/testing/randomModel';
import type { Progress } from '../task';
import { measurePerplexity, rowNll } from './perplexity';
import { checkNll, selfCheck, selfCheckTokens } from './selfCheck';
import { openSession } from './session';
import { readCheckpointFolder } from './testing/checkpointFolder';
import { nodeLibrary } from './testing/nodeLibrary';

const model = randomModel(
  tinyShape([
    [4, 2, 16, 40],
    [4, 2, 16, 40],
  ]),
);
const openModel = () => openSession({ ...model, runtime: 'ort-wasm', library: nodeLibrary });
const random = createRandom(3);
const sequence = (length: number) => Array.from({ length }, () => randomInt(random, model.shape.vocab));
const meanOf = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

test('NLL of a row by hand', () => {
  const logits = Float32Array.of(9, 9, 0, Math.log(3));
  expect(rowNll(logits, 1, 2, 0)).toBeCloseTo(Math.log(4), 7);
  expect(rowNll(logits, 1, 2, 1)).toBeCloseTo(Math.log(4 / 3), 7);
  expect(rowNll(Float32Array.of(1000, 0), 0, 2, 1)).toBe(1000);
});

test('mean NLL over windows of different lengths equals the float64 model', async () => {
  const session = await openModel();
  const sequences = [sequence(40), sequence(40), sequence(17), sequence(2)];
  const progress: Progress[] = [];
  const result = await measurePerplexity(session, sequences, { onProgress: (step) => progress.push(step) });
  const want = sequences.map((tokens) => modelNll(model.shape, model.reference, tokens));
  expect(result.tokens).toBe(39 + 39 + 16 + 1);
  result.sequenceNll.forEach((nll, i) => {
    expect(nll).toBeCloseTo(meanOf(want[i]!), 5);
  });
  expect(result.meanNll).toBeCloseTo(meanOf(want.flatMap((nll) => [...nll])), 5);
  expect(result.perplexity).toBe(Math.exp(result.meanNll));
  expect(progress.at(-1)).toEqual({ stage: 'Perplexity', done: 95, total: 95, unit: 'tokens' });
  await session.release();
});

test('a window that no single run can hold is scored in chunks', async () => {
  const session = await openModel();
  const tokens = sequence(50);
  const options = { firstTargets: [30], logitBytes: 23 * 4 * model.shape.vocab };
  const { sequenceNll, tokens: count } = await measurePerplexity(session, [tokens], options);
  expect(count).toBe(20);
  expect(sequenceNll[0]).toBeCloseTo(meanOf(modelNll(model.shape, model.reference, tokens).slice(29)), 5);
  await session.release();
});

test('overlapping windows score only what is new', async () => {
  const session = await openModel();
  const tokens = sequence(20);
  const options = { firstTargets: [1, 8] };
  const { sequenceNll, tokens: count } = await measurePerplexity(session, [tokens, tokens.toReversed()], options);
  const want = modelNll(model.shape, model.reference, tokens.toReversed());
  expect(count).toBe(19 + 12);
  expect(sequenceNll[1]).toBeCloseTo(meanOf(want.slice(7)), 5);
  await session.release();
});

test('what cannot be scored is refused; a fired signal stops', async () => {
  const session = await openModel();
  await expect(measurePerplexity(session, [])).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(measurePerplexity(session, [[1, 2], [1]])).rejects.toMatchObject({ message: /window 1 has 1 tokens/ });
  const stopped = measurePerplexity(session, [sequence(9)], { signal: AbortSignal.abort() });
  await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  await session.release();
});

test('the self-check withholds numbers that differ from the reference', async () => {
  const session = await openModel();
  const sequences = [sequence(40)];
  const truth = sequences.map((tokens) => meanOf(modelNll(model.shape, model.reference, tokens)));
  await selfCheck(session, sequences, truth);
  await expect(selfCheck(session, sequences, [truth[0]! + 0.01])).rejects.toMatchObject({ code: 'self-check' });
  await expect(selfCheck(session, [sequence(32)], [0])).rejects.toMatchObject({ code: 'bad-argument' });
  expect(() => checkNll([Number.NaN], [1], { runtime: 'x' })).toThrow(/withheld|NaN/);
  await session.release();
});

test('a self-check is longer than the sliding windows that it can afford', () => {
  const tokens = (...sequences: (number | undefined)[]) => {
    const layers = sequences.map((sequence) => ({
      ...model.shape.layers[0]!,
      ...(sequence ? { window: sequence } : {}),
    }));
    return selfCheckTokens({ ...model.shape, maxPositions: 600, layers });
  };
  expect(tokens(undefined)).toBe(40);
  expect(tokens(12, undefined)).toBe(40);
  expect(tokens(33, 500, 4096)).toBe(508);
  expect(tokens(599)).toBe(600);
  expect(tokens(4096)).toBe(40);
  expect(selfCheckTokens({ ...model.shape, layers: [] })).toBe(40);
  const removed = { ...model.shape.layers[0]!, heads: 0, kvHeads: 0, window: 90 };
  expect(selfCheckTokens({ ...model.shape, layers: [removed] })).toBe(40);
});

const shared = resolve(import.meta.dirname, '../../../shared');

test.skipIf(!existsSync(shared)).each(['stories260K', 'stories260K-f16-sharded'])(
  'golden perplexities of %s (needs the reference files beside the project)',
  async (name) => {
    const golden = JSON.parse(readFileSync(`${shared}/golden/stories260K.json`, 'utf8'));
    const { shape, weights } = readCheckpointFolder(`${shared}/models/${name}`);
    const perplexityOf = async (layers: typeof shape.layers) => {
      const open = { shape: { ...shape, layers }, weights, library: nodeLibrary, runtime: 'ort-wasm' as const };
      const session = await openSession(open);
      const { perplexity, tokens } = await measurePerplexity(session, golden.calibration_token_ids);
      expect(tokens).toBe(1270);
      await session.release();
      return perplexity;
    };
    // The f16 copy is rounded: its perplexities are near, not equal.
    const tolerance = name === 'stories260K' ? 1e-4 : 1e-3;
    const expectNear = (got: number, want: number) => expect(Math.abs(got / want - 1)).toBeLessThan(tolerance);
    expectNear(await perplexityOf(shape.layers), golden.base_ppl);
    for (const index of shape.layers.keys()) {
      const without = (change: object) =>
        shape.layers.map((layer, i) => (i === index ? { ...layer, ...change } : layer));
      expectNear(await perplexityOf(shape.layers.toSpliced(index, 1)), golden.ppl[index]);
      expectNear(await perplexityOf(without({ heads: 0, kvHeads: 0 })), golden.ppl_attention[index]);
      expectNear(await perplexityOf(without({ ffn: 0 })), golden.ppl_mlp[index]);
    }
  },
);
