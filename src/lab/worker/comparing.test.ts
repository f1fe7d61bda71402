/** @file `lab.compare` on a small checkpoint without WebGPU: ONNX Runtime measures everything. */
import { beforeEach, expect, test } from 'vitest';
import { modelParameters } from '../../model/count';
import { verdictsOf } from '../../report/verdict';
import type { Progress } from '../../task';
import type { CompareRequest } from '../contract/types';
import type { Session } from './session';
import { goldenOf, inNode, sessionWith } from './testing/nodeSession';

const golden = goldenOf<{ calibration_token_ids: number[][] }>('tiny-a');
const tokenIds = golden.calibration_token_ids.slice(0, 2);
const few = { promptTokens: 4, newTokens: 3, warmups: 0, runs: 2, evaluation: { tokenIds } };

let session: Session;
inNode({ gpu: false });
beforeEach(async () => {
  session = await sessionWith('tiny-a');
});

const compare = (request: Partial<CompareRequest> & Pick<CompareRequest, 'methods'>, task = {}) =>
  session.compare(task, { budget: { ratio: 0.25 }, ...few, ...request });

test('every method has a row behind the base’s, with perplexity and paired latencies; one that cannot run is told', async () => {
  await session.calibrate({}, { tokenIds });
  const stages: string[] = [];
  const onProgress = ({ stage }: Progress) => void stages.push(stage);
  const rows = await compare({ methods: ['reverse-order', 'ppl', 'magnitude'], batchSizes: [1, 2] }, { onProgress });
  expect(rows.map(({ method, name }) => [method, name])).toEqual([
    [null, 'original model'],
    ['reverse-order', 'Reverse order 25 %'],
    ['magnitude', 'Magnitude 25 %'],
  ]);
  const [base, last] = rows;
  expect(last!.plan.removeBlocks).toEqual([3]);
  expect(base!.reached).toBe(0);
  expect(last!.reached).toBe(last!.ratio);
  for (const row of rows) {
    expect(row.perplexity['ort-wasm']!.tokens).toBe(tokenIds.flat().length - tokenIds.length);
    expect(row.latency.map(({ batch, runs }) => [batch, runs])).toEqual([
      [1, 2],
      [2, 2],
    ]);
    const speedUps = row.latency.map(({ speedUp }) => speedUp);
    if (row === base) expect(speedUps).toEqual([undefined, undefined]);
    else for (const each of speedUps) expect(each).toMatchObject({ against: 'base', pairs: 2, inTurns: true });
  }
  expect(base!.refused).toEqual([
    { method: 'ppl', message: expect.stringContaining('WebGPU'), remedy: expect.any(String) },
  ]);
  expect(stages.some((stage) => stage.startsWith('PPL is left out'))).toBe(true);
  // The rows are those of the comparison, and the same request makes no variant twice.
  const kept = await session.comparison({});
  expect(kept.map(({ variant, latency }) => [variant, latency])).toEqual(
    rows.map(({ variant, latency }) => [variant, latency]),
  );
  await compare({ methods: ['magnitude', 'magnitude'], batchSizes: [1] });
  expect(await session.variants({})).toHaveLength(3);
});

test('a budget in bytes counts weights as stored and the cache of the context: the smallest removal that fits', async () => {
  const { shape } = (await session.variants({}))[0]!;
  const context = 100;
  const bytesWithout = (blocks: number) => {
    const left = { ...shape, layers: shape.layers.slice(blocks) };
    // float32 weights; a block's cache is 2 vectors of 2 key/value heads of 8 numbers a token.
    return 4 * modelParameters(left) + (4 - blocks) * context * 2 * 2 * 8 * 4;
  };
  const request = { methods: ['reverse-order'], contextTokens: context };
  const rows = await compare({ ...request, budget: { bytes: bytesWithout(2) } });
  expect(rows.map(({ plan }) => plan.removeBlocks.length)).toEqual([0, 2]);
  expect(rows.map(({ reached }) => reached)).toEqual([bytesWithout(0), bytesWithout(2)]);
  const tighter = await compare({ ...request, budget: { bytes: bytesWithout(2) - 1 } });
  expect(tighter.map(({ plan }) => plan.removeBlocks.length)).toEqual([0, 3]);
  await expect(
    compare({ ...request, methods: ['reverse-order', 'random'], budget: { bytes: bytesWithout(3) - 1 } }),
  ).rejects.toMatchObject({
    code: 'bad-argument',
    message: expect.stringMatching(/no method has a variant.*reverse-order: .*random: /),
  });
  await expect(compare({ ...request, budget: { bytes: bytesWithout(0) } })).rejects.toMatchObject({
    message: expect.stringMatching(/^budget\.bytes: expected fewer than/),
  });
});

test('a budget in time is met by a measured variant, or each method is refused with the fastest', async () => {
  const request = { methods: ['reverse-order'], budget: { msPerToken: 1e-9 } };
  await expect(compare(request)).rejects.toMatchObject({
    message: expect.stringContaining('the fastest variant measured'),
  });
  await expect(compare({ ...request, budget: { msPerToken: 1e6 } })).rejects.toMatchObject({
    message: expect.stringMatching(/^budget\.msPerToken: expected less than/),
  });
  // Trials leave no variants behind.
  expect(await session.variants({})).toHaveLength(1);
});

test('widths as they come beside rounded ones, and blocks beside them', async () => {
  const rows = await compare({ methods: ['magnitude', 'magnitude-sp'], roundTo: [8, 16], budget: { ratio: 0.2 } });
  expect(rows.map(({ method, roundTo, name }) => [method, roundTo, name])).toEqual([
    [null, undefined, 'original model'],
    ['magnitude', undefined, 'Magnitude 20 %'],
    ['magnitude-sp', undefined, 'Magnitude-sp 20 %'],
    ['magnitude-sp', 8, 'Magnitude-sp 20 %, rounded to 8'],
    ['magnitude-sp', 16, 'Magnitude-sp 20 %, rounded to 16'],
  ]);
  const neurons = rows.slice(2).map(({ plan }) => plan.keepNeurons!.map((kept) => kept!.length));
  expect(neurons[0]!.some((count) => count % 8 !== 0)).toBe(true);
  expect(neurons[1]!.every((count) => count % 8 === 0)).toBe(true);
  expect(neurons[2]!.every((count) => count % 16 === 0)).toBe(true);
  expect(rows.every(({ latency }) => latency.length === 1)).toBe(true);
  expect(verdictsOf(rows).map(({ measure }) => measure)).toEqual(['perplexity', 'latency', 'memory']);
});

test('cancelled in the rounds, the perplexities stay; before them, nothing half-made does', async () => {
  const cancelledAt = async (word: string) => {
    const controller = new AbortController();
    const onProgress = ({ stage }: Progress) => {
      if (stage.includes(word)) controller.abort();
    };
    const work = compare({ methods: ['reverse-order'] }, { signal: controller.signal, onProgress });
    await expect(work).rejects.toMatchObject({ code: 'aborted' });
    return session.comparison({});
  };
  const rows = await cancelledAt('alternating runs');
  expect(rows.map(({ perplexity, latency }) => [Object.keys(perplexity), latency.length])).toEqual([
    [['ort-wasm'], 0],
    [['ort-wasm'], 0],
  ]);
});

test.each([
  [{ methods: ['taylorr'] }, /^methods: expected criteria \(ppl, .*got 'taylorr'/],
  [{ methods: ['flap+'] }, /^methods: .*got 'flap\+'/],
  [{ methods: ['ppl'], budget: { ratio: 0 } }, /^budget\.ratio: expected 0 < ratio < 1, got 0/],
  [{ methods: ['ppl'], promptTokens: 300 }, /^promptTokens and newTokens: expected at most 256 together/],
  [{ methods: ['random'], budget: { ratio: 0.01 } }, /Random comes closest to it without removing anything/],
])('bad request %#', async (request, message) => {
  await expect(compare(request)).rejects.toMatchObject({
    code: 'bad-argument',
    message: expect.stringMatching(message),
  });
});
