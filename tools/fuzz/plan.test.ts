/** @file Plans changed by hand: a clear refusal, or a plan in canonical form that can be applied to the model. */
import { expect, test } from 'vitest';
import { LabError } from '../../src/errors';
import { modelParameters } from '../../src/model/count';
import { layerRoles, layerWeightDims, type ModelShape, modelWeightDims } from '../../src/model/shape';
import type { WeightSource } from '../../src/model/weights';
import { type Random, randomInt } from '../../src/numerics/random';
import { applyPlan } from '../../src/pruning/apply';
import { pruned } from '../../src/pruning/cuts';
import {
  checkPlan,
  emptyPlan,
  isEmptyPlan,
  type KeptByLayer,
  normalizePlan,
  type PruningPlan,
  planOfUnits,
  removesWidth,
  samePlan,
  unitsOf,
} from '../../src/pruning/plan';
import { forEachMutation, fuzzTimeout, mutateJson, pick } from './mutate';

const model = 'owner/name@main';
/** By layer: grouped queries, no grouping, one key/value head, norms over all heads, no attention, no MLP, one head. */
const shape: ModelShape = {
  family: 'llama',
  vocab: 10,
  hidden: 8,
  layers: [
    { source: 0, heads: 6, kvHeads: 2, headDim: 4, ffn: 7 },
    { source: 1, heads: 3, kvHeads: 3, headDim: 2, ffn: 5, biases: ['qBias', 'oBias', 'downBias', 'upBias'] },
    { source: 2, heads: 4, kvHeads: 1, headDim: 2, ffn: 4 },
    { source: 4, heads: 4, kvHeads: 2, headDim: 2, ffn: 6, qkNorm: 'all' },
    { source: 5, heads: 0, kvHeads: 0, headDim: 2, ffn: 3 },
    { source: 7, heads: 2, kvHeads: 2, headDim: 2, ffn: 0 },
    { source: 8, heads: 1, kvHeads: 1, headDim: 2, ffn: 1 },
  ],
  normEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 16,
  tiedHead: true,
};

/** Weights of the shape's sizes without bytes: a plan must not ask for any. */
const weights: WeightSource = {
  layerTensor: (role, source) => {
    const layer = shape.layers.find((each) => each.source === source)!;
    const dims = layerWeightDims(shape, layer, role);
    return { name: `${role} ${source}`, dtype: 'F32', dims, file: 'none', begin: 0, end: 4 * product(dims) };
  },
  modelTensor: (role) => {
    const dims = modelWeightDims(shape, role);
    return { name: role, dtype: 'F32', dims, file: 'none', begin: 0, end: 4 * product(dims) };
  },
  read: () => Promise.reject(new Error('A plan read weights.')),
  file: () => Promise.reject(new Error('A plan read weights.')),
};

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

const kept = (change: Readonly<Record<number, readonly number[]>>): KeptByLayer =>
  shape.layers.map((_, layer) => change[layer] ?? null);

const plans: readonly PruningPlan[] = [
  emptyPlan(model),
  planOfUnits(model, [
    { kind: 'block', layer: 1 },
    { kind: 'attention', layer: 3 },
    { kind: 'mlp', layer: 0 },
  ]),
  planOfUnits(model, [], { keepHeads: kept({ 0: [0, 1, 2], 1: [2], 2: [0, 3] }) }),
  planOfUnits(model, [], { keepHeads: kept({ 0: [0, 2, 3, 5] }), keepNeurons: kept({ 0: [0, 6], 2: [1, 2, 3] }) }),
  {
    ...planOfUnits(model, [{ kind: 'block', layer: 0 }], { keepNeurons: kept({ 3: [0, 1, 5] }) }),
    repair: 'flap-bias',
  },
  { ...planOfUnits(model, [{ kind: 'block', layer: 2 }]), repair: 'replace-me' },
];

/** A plan with one of its lists changed as somebody would by hand: still a plan most of the time. */
function edited(random: Random, plan: PruningPlan): unknown {
  const change: PruningPlan = structuredClone(plan);
  const index = () => randomInt(random, 9) - 1;
  const some = () => Array.from({ length: randomInt(random, 5) }, index);
  const lists = () => shape.layers.map(() => (randomInt(random, 3) === 0 ? some() : null));
  const layers = shape.layers.length;
  const whole = (count: (layer: number) => number) =>
    Array.from({ length: layers }, (_, layer) => Array.from({ length: count(layer) }, (__, at) => at));
  switch (randomInt(random, 6)) {
    case 0:
      return { ...change, [pick(random, ['removeBlocks', 'removeAttention', 'removeMlp'])]: some() };
    case 1:
      return { ...change, keepHeads: lists() };
    case 2:
      return { ...change, keepNeurons: lists() };
    case 3:
      return { ...change, keepHeads: whole((layer) => shape.layers[layer]!.heads) };
    case 4:
      return { ...change, keepNeurons: whole((layer) => randomInt(random, shape.layers[layer]!.ffn + 1)) };
    default:
      return { ...change, removeBlocks: [], keepHeads: kept({ 0: [5, 0, 4, 1] }), keepNeurons: kept({ 1: some() }) };
  }
}

/** Fails unless two values are equal as JSON; vitest's own comparison takes most of the time of many thousand plans. */
function same(what: string, got: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}

/** What every accepted plan promises. */
function canBeApplied(plan: PruningPlan): void {
  // Canonical form: another round changes nothing, and neither does a way through JSON.
  same('canonical form', normalizePlan(plan), plan);
  same('through JSON', checkPlan(JSON.parse(JSON.stringify(plan)), model, shape), plan);
  same('samePlan', samePlan(plan, normalizePlan(plan)), true);
  same('isEmptyPlan', isEmptyPlan(plan), unitsOf(plan).length === 0 && !removesWidth(plan));
  const left = pruned({ shape, weights }, plan);
  same('shape', left.shape, applyPlan(shape, plan));
  same('blocks remain', left.shape.layers.length > 0, true);
  for (const layer of left.shape.layers) {
    same('sub-blocks remain', layer.heads + layer.ffn > 0, true);
    same('whole groups', layer.heads === 0 || Number.isInteger(layer.heads / layer.kvHeads), true);
    for (const role of layerRoles(layer)) {
      const { name, dims, begin, end } = left.weights.layerTensor(role, layer.source);
      same(name, dims, layerWeightDims(left.shape, layer, role));
      same(name, end - begin, 4 * product(dims));
    }
  }
  same('fewer parameters', modelParameters(left.shape) < modelParameters(shape), !isEmptyPlan(plan));
}

function check(value: unknown): boolean {
  let plan: PruningPlan;
  try {
    plan = checkPlan(value, model, shape);
  } catch (thrown) {
    if (!(thrown instanceof LabError)) throw thrown;
    expect(thrown.code).toBe('bad-plan');
    // Where, what was expected, what came.
    expect(thrown.message).toMatch(
      /expected .+ got |is not a pruning plan|is for model '|removes all|keepHeads of block \d+: |every key\/value head/s,
    );
    expect(thrown.message.length).toBeLessThan(600);
    expect(thrown.remedy).not.toBe('');
    return false;
  }
  canBeApplied(plan);
  return true;
}

const mutations: readonly [string, (random: Random, plan: PruningPlan) => unknown][] = [
  ['odd values', mutateJson],
  ['lists changed by hand', edited],
  ['lists changed by hand, and odd values', (random, plan) => mutateJson(random, edited(random, plan))],
];

test.each(mutations)(
  'plans with %s',
  async (_, mutate) => {
    for (const plan of plans) expect(check(plan)).toBe(true);
    const verdicts = { accepted: 0, refused: 0 };
    await forEachMutation((random) => {
      verdicts[check(mutate(random, pick(random, plans))) ? 'accepted' : 'refused'] += 1;
    });
    expect(verdicts.accepted).toBeGreaterThan(0);
    expect(verdicts.refused).toBeGreaterThan(0);
  },
  fuzzTimeout,
);

test('what a checkpoint lacks from the start counts as removed', () => {
  const rest = { removeBlocks: [0, 1, 2, 3, 6], removeMlp: [4], removeAttention: [5] };
  expect(() => checkPlan({ ...emptyPlan(model), ...rest }, model, shape)).toThrow(/removes all 7 blocks/);
});
