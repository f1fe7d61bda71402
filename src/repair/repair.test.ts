/** @file Repairs by hand and in the float64 model, with states that a test chooses in place of an engine's. */
import { expect, test } from 'vitest';
import { block, randomModel, type TestModel, tinyShape } from '../engine/testing/testWeights';
import { hiddenStates, modelLogits } from '../numerics/model';
import type { Weighted } from '../pruning/cuts';
import { emptyPlan, type PruningPlan, planOfUnits } from '../pruning/plan';
import type { RepairMethod } from '../pruning/repairMethods';
import { rescalingsOf } from '../pruning/variant';
import { safetensorsParts } from '../shards/formats/safetensors';
import { referenceOf } from '../weights/testing/referenceOf';
import { advance, type Draft, draftOf } from './advance';
import { flapBiases } from './flapBias';
import { meanRatio, meanSizes } from './pruneAndComp';
import { runsOf } from './runs';
import type { OpenModel, RepairProbe } from './types';

const shape = tinyShape([0, 1, 2, 3].map((source) => block(source, source === 2 ? { biases: ['oBias'] } : {})));
const model = randomModel({ ...shape, normEps: 0 }, 'F32');
const sequences = [
  [1, 5, 9, 13, 17],
  [40, 41, 42],
];
const text = { corpus: 'c', samples: 2, seqLen: 5, seed: 1, hash: '' };

/** An engine's answers, computed in float64; counts what was opened. */
const opened: Weighted[] = [];
const open: OpenModel = async (of, work) => {
  opened.push(of);
  const weights = await referenceOf(of.shape, of.weights);
  const capture: RepairProbe['capture'] = async (all, points, begin) => {
    const sink = begin();
    all.forEach((tokens, index) => {
      const states = hiddenStates(of.shape, weights, tokens);
      const state = (layer: number) => Float32Array.from(states[layer]!);
      sink(
        points.map(({ what, layer }) => {
          if (what === 'stream') return state(layer);
          // What the MLP adds: the block without it, from the block.
          const without = of.shape.layers.map((each, at) => (at === layer ? { ...each, ffn: 0 } : each));
          const before = hiddenStates({ ...of.shape, layers: without }, weights, tokens)[layer + 1]!;
          return Float32Array.from(states[layer + 1]!, (value, at) => value - before[at]!);
        }),
        index,
      );
    });
  };
  const widthStatistics = () => Promise.reject(new Error('not asked for'));
  return work({ capture, widthStatistics });
};

const base: Draft = { plan: emptyPlan('m'), recipe: [], model, own: [] };
const blocks = (...layers: number[]): PruningPlan =>
  planOfUnits(
    'm',
    layers.map((layer) => ({ kind: 'block', layer })),
  );
async function next(from: Draft, plan: PruningPlan, method?: RepairMethod, patch?: Blob): Promise<Draft> {
  const repair = method && { method, text, sequences, open };
  return draftOf(model, await advance(model, from, plan, { repair, patch }), {});
}

test('runs of removed blocks', () => {
  const runs = (plan: PruningPlan) => runsOf(model, plan);
  expect(runs(blocks(0, 1, 3))).toEqual([
    { first: 0, end: 2 },
    { first: 3, end: 4 },
  ]);
  expect(runs(blocks())).toEqual([]);
});

test('α by hand: samples, then channels; a channel that is 0 before the cut is left out', () => {
  expect([...meanSizes([1, -2, 0, -3, 4, 0], 3)]).toEqual([2, 3, 0]);
  const before = [Float64Array.of(1, 2, 0), Float64Array.of(4, 0, 0)];
  const after = [Float64Array.of(2, 3, 5), Float64Array.of(2, 7, 1)];
  // Channel 0: (2 + 0.5) / 2, channel 1: 1.5 of one sample, channel 2: none.
  expect(meanRatio(before, after)).toBeCloseTo((1.25 + 1.5) / 2, 12);
  expect(meanRatio([Float64Array.of(0)], [Float64Array.of(1)])).toBeNaN();
});

test('each factor is measured on the model that the factors before it made', async () => {
  opened.length = 0;
  const made = await next(base, blocks(1, 3), 'prune-and-comp');
  // Block 3 is the last one: a cut there has no factor.
  expect(rescalingsOf(made.recipe).map(({ before }) => before)).toEqual([1]);
  opened.length = 0;
  const twice = await next(base, blocks(0, 2), 'prune-and-comp');
  const factors = rescalingsOf(twice.recipe);
  expect(factors.map(({ before }) => before)).toEqual([0, 2]);
  expect(opened.map(({ shape: { layers } }) => layers.map(({ source }) => source))).toEqual([
    [0, 1, 2, 3],
    [1, 2, 3],
  ]);
  // The second: from the states of the model without block 0 whose embedding has the first factor.
  const cut = { ...model.shape, layers: model.shape.layers.slice(1) };
  const embed = Float64Array.from(model.reference.embed, (value) => value * factors[0]!.factor);
  const sizes = sequences.map((tokens) =>
    hiddenStates(cut, { ...model.reference, embed }, tokens).map((state) => meanSizes(state, 32)),
  );
  const expected = meanRatio(
    sizes.map((states) => states[1]!),
    sizes.map((states) => states[2]!),
  );
  expect(factors[1]!.factor / expected).toBeCloseTo(1, 5);
  // One repair after the other gives the same as both at once.
  const first = await next(base, blocks(0), 'prune-and-comp');
  const second = await next(first, blocks(0, 2), 'prune-and-comp');
  for (const [at, { factor }] of rescalingsOf(second.recipe).entries()) {
    expect(factor / factors[at]!.factor).toBeCloseTo(1, 5);
  }
});

test('ReplaceMe: the state behind the cut comes as close as a map of the MLP can bring it', async () => {
  const plan = blocks(1, 2);
  const made = await next(base, plan, 'replace-me');
  expect(made.own.map(({ role, source }) => [role, source])).toEqual([['downProj', 0]]);
  const error = async ({ shape: own, weights }: Weighted, change = 0): Promise<number> => {
    const reference = await referenceOf(own, weights);
    const down = reference.layers[0]!.downProj!;
    const layers = reference.layers.map((layer, at) =>
      at === 0
        ? { ...layer, downProj: Float64Array.from(down, (value, i) => value * (1 + change * Math.cos(i))) }
        : layer,
    );
    return sequences.reduce((sum, tokens) => {
      const wanted = hiddenStates(model.shape, model.reference, tokens)[3]!;
      const got = hiddenStates(own, { ...reference, layers }, tokens)[1]!;
      return sum + got.reduce((squares, value, at) => squares + (value - wanted[at]!) ** 2, 0);
    }, 0);
  };
  const best = await error(made.model);
  expect(best).toBeLessThan(0.01 * (await error((await next(base, plan)).model))); // 8 tokens, 32 channels: nearly met
  expect(await error(made.model, 0.01)).toBeGreaterThan(best);
});

test("FLAP's biases by hand, on top of a bias that is there", async () => {
  const keepHeads = [null, null, [0, 1], null];
  const keepNeurons = [[...Array(43).keys()], null, null, null];
  const plan = planOfUnits('m', [{ kind: 'block', layer: 3 }], { keepHeads, keepNeurons });
  const mean = (channels: number) => Float64Array.from({ length: channels }, (_, at) => Math.sin(at));
  const sums = { absolute: new Float64Array(), squares: new Float64Array(), rows: 0 };
  const part = (channels: number) => ({ mean: mean(channels), deviations: new Float64Array(), columns: sums });
  const layers = shape.layers.map(() => ({ attention: part(32), mlp: part(44) }));
  const found = await flapBiases(model, plan, { samples: 1, tokens: 1, layers });
  expect(found.map(({ name }) => name)).toEqual([
    'model.layers.0.mlp.down_proj.bias',
    'model.layers.2.self_attn.o_proj.bias',
  ]);
  const [down, out] = found.map(({ data }) => new Float32Array((data as Uint8Array<ArrayBuffer>).buffer));
  const { downProj } = model.reference.layers[0]!;
  const { oProj, oBias } = model.reference.layers[2]!;
  for (let row = 0; row < 32; row++) {
    expect(down![row]).toBeCloseTo(Math.sin(43) * downProj![row * 44 + 43]!, 6);
    let sum = oBias![row]!;
    for (let channel = 16; channel < 32; channel++) sum += Math.sin(channel) * oProj![row * 32 + channel]!;
    expect(out![row]).toBeCloseTo(sum, 5);
  }
  await expect(flapBiases(model, blocks(1), { samples: 1, tokens: 1, layers })).rejects.toMatchObject({
    code: 'not-available',
  });
});

test('own tensors go along: multiplied by later factors, cut by later plans, dropped with their block', async () => {
  const values = (count: number) => Float32Array.from({ length: count }, (_, at) => Math.cos(at) / 4);
  const tensor = (name: string, dims: number[]) => ({
    ...{ name: `model.layers.${name}`, dtype: 'F32', dims },
    data: new Uint8Array(values(dims.reduce((a, b) => a * b, 1)).buffer),
  });
  const patch = new Blob(
    safetensorsParts([
      tensor('0.mlp.down_proj.weight', [32, 44]),
      tensor('0.mlp.down_proj.bias', [32]),
      tensor('2.mlp.down_proj.weight', [32, 44]),
    ]),
  );
  const patched = await next(base, blocks(), undefined, patch);
  expect(patched.own).toHaveLength(3);
  const keepNeurons = [Array.from({ length: 22 }, (_, at) => 2 * at), null, null, null];
  const after = planOfUnits('m', [{ kind: 'block', layer: 2 }], { keepNeurons });
  const made = await next(patched, after, 'prune-and-comp');
  expect(made.own.map(({ role, source }) => [role, source])).toEqual([
    ['downProj', 0],
    ['downBias', 0],
  ]);
  const { factor } = rescalingsOf(made.recipe)[0]!;
  const { layers, embed } = await referenceOf(made.model.shape, made.model.weights);
  expect(embed[7]).toBeCloseTo(factor * model.reference.embed[7]!, 5);
  expect(layers[0]!.downProj).toHaveLength(32 * 22);
  expect(layers[0]!.downProj![22 * 3 + 5]).toBeCloseTo(factor * values(2000)[44 * 3 + 10]!, 6);
  expect(layers[0]!.downBias![9]).toBeCloseTo(factor * values(10)[9]!, 6);
  expect(layers[1]!.oProj![9]).toBeCloseTo(factor * model.reference.layers[1]!.oProj![9]!, 6);
  expect(layers[3]!.oProj![9]).toBe(model.reference.layers[3]!.oProj![9]);
  // The model as a whole, built once more from the recipe: the same logits as from its parent's weights by hand.
  const byHand = await handMade(patched, keepNeurons[0]!, factor);
  const logits = modelLogits(made.model.shape, await referenceOf(made.model.shape, made.model.weights), sequences[0]!);
  for (const [at, value] of byHand.entries()) expect(logits[at]).toBeCloseTo(value, 3);
});

/** Logits without block 2 and some neurons of block 0, with the stream before block 3 multiplied between two blocks. */
async function handMade({ model: parent }: Draft, kept: readonly number[], factor: number): Promise<Float64Array> {
  const reference = await referenceOf(parent.shape, parent.weights);
  const dropped = reference.layers.map((layer, at) => {
    if (at !== 0) return layer;
    // Neurons that are gone add nothing.
    const downProj = Float64Array.from(layer.downProj!, (value, i) => (kept.includes(i % 44) ? value : 0));
    return { ...layer, downProj };
  });
  const scale = (values: ArrayLike<number>) => Float64Array.from(values, (value) => value * factor);
  const layers = dropped.map((layer, at) => {
    if (at > 1) return layer;
    const { oProj, downProj, downBias } = layer;
    return {
      ...layer,
      oProj: scale(oProj!),
      downProj: scale(downProj!),
      ...(downBias && { downBias: scale(downBias) }),
    };
  });
  const weights = { ...reference, layers, embed: scale(reference.embed), lmHead: reference.embed };
  const left = parent.shape.layers.filter(({ source }) => source !== 2);
  return modelLogits({ ...parent.shape, layers: left }, weights, sequences[0]!);
}

test('a plan that keeps what the parent lacks is refused', async () => {
  const parent = await next(base, blocks(1));
  await expect(next(parent, blocks(2))).rejects.toMatchObject({ code: 'bad-plan' });
});

test('post-norm families: no factor, no map', async () => {
  const post: TestModel = randomModel(
    tinyShape([0, 1, 2].map((source) => block(source, { normPlacement: 'post' }))),
    'F32',
  );
  for (const method of ['prune-and-comp', 'replace-me'] as const) {
    const repair = { method, text, sequences, open };
    const draft = { ...base, model: post };
    await expect(advance(post, draft, blocks(1), { repair })).rejects.toMatchObject({ code: 'not-available' });
  }
});
