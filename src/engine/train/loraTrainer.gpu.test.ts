/** @file Training of low-rank factors: their gradients against finite differences in float64, what the view computes with them, merging. */

import { afterEach, beforeAll, expect, test } from 'vitest';
import {
  type LayerRole,
  layerWeightDims,
  type ModelShape,
  type ProjectionRole,
  projectionRoles,
} from '../../model/shape';
import type { AdamW } from '../../numerics/adamw';
import type { Dropout } from '../../numerics/dropout';
import {
  modelLogits,
  modelMeanNll,
  modelNll,
  type ReferenceAdapters,
  type ReferenceWeights,
} from '../../numerics/model';
import type { TokenSequences } from '../../numerics/tokens';
import '../testing/allclose';
import { Engine } from '../engine';
import { Buffers } from '../gpu/buffers';
import { CommandQueue } from '../gpu/commandQueue';
import type { GpuContext } from '../gpu/device';
import { KernelChoice } from '../kernels/kernelChoice';
import { backwardPass } from '../pass/backwardPass';
import { Forward } from '../pass/forward';
import { makeBatches } from '../pass/sequences';
import { sharedTestDevice } from '../testing/harness';
import { block, randomModel, randomValues, type TestModel, tinyShape } from '../testing/testWeights';
import { roleDropout } from '../weights/adapters';
import { uploadWeights } from '../weights/modelWeights';
import { Adapters } from './adapters';
import { type Factor, factorKey, initialFactor } from './loraSetting';
import type { LoraTrainer } from './loraTrainer';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});
const toClose: (() => void)[] = [];
afterEach(() => {
  for (const close of toClose.splice(0)) close();
});

const optimizer: AdamW = { learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };
const biases = ['qBias', 'kBias', 'vBias', 'oBias', 'gateBias', 'upBias', 'downBias'] as const;
/** Biases, norms of heads, an odd width, a missing MLP, a head of its own. */
const uneven: ModelShape = {
  ...tinyShape([
    block(0, { biases }),
    block(1, { heads: 2, kvHeads: 1, headDim: 6, ffn: 21, qkNorm: 'head' }),
    block(2, { ffn: 0 }),
  ]),
  hidden: 33,
  tiedHead: false,
};
const sequences: TokenSequences = [
  [1, 5, 9, 13, 17, 21, 25, 29],
  [66, 0, 2, 4, 3],
];
const [rank, alpha] = [3, 4.5];

/** Values for both factors, so that each has a gradient. */
function initial({ layer, role, kind, dims: [rows, columns] }: Factor): Float32Array<ArrayBuffer> {
  const seed = 100 * layer + 2 * projectionRoles.indexOf(role) + (kind === 'A' ? 0 : 1);
  return randomValues(rows * columns, seed, kind === 'A' ? 1 / Math.sqrt(columns) : 0.3);
}

/** The factors of all layers by key; without those of missing sub-blocks. */
function factorsOf(shape: ModelShape): Map<string, Factor & { values: Float64Array }> {
  const factors = new Map<string, Factor & { values: Float64Array }>();
  for (const [layer, own] of shape.layers.entries()) {
    for (const role of projectionRoles) {
      const [cols, inner] = layerWeightDims(shape, own, role) as [number, number];
      if (cols * inner === 0) continue;
      for (const kind of ['A', 'B'] as const) {
        const dims = kind === 'A' ? ([rank, inner] as const) : ([cols, rank] as const);
        const factor = { layer, role, kind, dims };
        factors.set(factorKey(layer, role, kind), { ...factor, values: Float64Array.from(initial(factor)) });
      }
    }
  }
  return factors;
}

/** The float64 model with the factors; `dropout` is that of a pass. */
function adapted(
  { shape, reference }: Pick<TestModel, 'shape' | 'reference'>,
  factors: ReadonlyMap<string, { values: Float64Array }>,
  dropout: Dropout | null = null,
): ReferenceWeights {
  const adapters: ReferenceAdapters[] = [];
  for (const [layer, { source }] of shape.layers.entries()) {
    adapters[source] = Object.fromEntries(
      projectionRoles.flatMap((role) => {
        const [a, b] = (['A', 'B'] as const).map((kind) => factors.get(factorKey(layer, role, kind))?.values);
        if (a === undefined || b === undefined) return [];
        return [[role, { a, b, rank, scale: alpha / rank, dropout: dropout && roleDropout(dropout, source, role) }]];
      }),
    );
  }
  return { ...reference, adapters };
}

async function opened(model: TestModel, dropout = 0): Promise<{ engine: Engine; trainer: LoraTrainer }> {
  const engine = await Engine.create(context, model);
  const trainer = engine.loraTrainer({ rank, alpha, dropout, initial, seed: 3 });
  toClose.push(() => {
    trainer.close();
    engine.dispose();
  });
  return { engine, trainer };
}

test.each([0, 0.25])('with dropout %d the gradients of all factors are those of finite differences', async (rate) => {
  const model = randomModel(uneven, 'F16');
  const buffers = new Buffers(context);
  const queue = new CommandQueue(context);
  const weights = await uploadWeights(context, buffers, uneven, model.weights, { weightBytes: 0 });
  const base = { context, shape: uneven, buffers, queue, weights, blocks: weights.blocks.reader(queue) };
  const parts = { ...base, choice: new KernelChoice(context.info, {}) };
  const adapters = new Adapters({ rank, alpha, dropout: rate, initial, seed: 3 });
  toClose.push(() => {
    adapters.close();
    queue.dispose();
    buffers.dispose();
  });
  const forward = new Forward(parts);
  const engineParts = { ...parts, forward, sweepBytes: 2 ** 20, inputBytes: 0, logitBytes: 1024 };
  await adapters.prepare(engineParts);
  const step = adapters.begin(engineParts, 7);
  const batches = makeBatches(sequences, 8); // one sequence each
  expect(batches).toHaveLength(2);
  const { dropout } = step;
  await backwardPass(engineParts, batches, { stage: 'test', sinkFor: (at) => step.sinkFor(at), dropout });
  expect(forward.dropout).toBeNull();

  const factors = factorsOf(uneven);
  const predicted = sequences.reduce((sum, { length }) => sum + length - 1, 0);
  const loss = (): number =>
    batches.reduce((sum, batch, at) => {
      const reference = adapted(model, factors, dropout?.(at) ?? null);
      const tokens = sequences[batch.sequences[0]!]!;
      return sum + modelNll(uneven, reference, tokens).reduce((a, b) => a + b, 0) / predicted;
    }, 0);
  const gradients = step.gradients();
  expect(gradients.map(({ key }) => key)).toEqual([...factors.keys()].reverse().sort(byLayerFromTheLast));
  for (const { key, buffer, count } of gradients) {
    const gradient = new Float32Array(await queue.read(buffer, count * 4));
    const { values } = factors.get(key)!;
    const before = values.slice();
    // Along a random direction, which every element is part of, and along one element.
    for (const direction of [randomValues(count, 5), randomValues(count, 6).map((_, i) => (i === count - 2 ? 1 : 0))]) {
      const moved = (by: number): number => {
        before.forEach((value, i) => {
          values[i] = value + by * direction[i]!;
        });
        return loss();
      };
      const slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
      moved(0);
      const found = gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0);
      expect(Math.abs(found - slope), key).toBeLessThan(2e-4 * Math.abs(slope) + 2e-6);
    }
  }
});

/** The backward pass comes from the last layer; roles and factors stand in their order. */
function byLayerFromTheLast(one: string, other: string): number {
  const place = (key: string): number => {
    const [layer, role, kind] = key.split(' ');
    return -100 * Number(layer) + 2 * projectionRoles.indexOf(role as ProjectionRole) + (kind === 'A' ? 0 : 1);
  };
  return place(one) - place(other);
}

test('every pass of the view computes with the factors, without dropout; other views do not; merging computes the same', async () => {
  const model = randomModel(uneven, 'F32');
  const { engine, trainer } = await opened(model, 0.5);
  const tokens = sequences[0]!;
  const other = await engine.open({ id: 'other', shape: uneven, weights: model.weights });
  const plain = await engine.logits(uneven.layers, tokens, 'all');
  await trainer.prepare();
  const reference = adapted(model, factorsOf(uneven));
  const near = { rtol: 1e-4, atol: 1e-5 };
  const logits = await engine.logits(uneven.layers, tokens, 'all');
  expect(logits).toBeAllclose(modelLogits(uneven, reference, tokens), near);
  expect(await other.logits(uneven.layers, tokens, 'all')).toEqual(plain);
  const { sumNll } = await engine.score(uneven.layers, sequences);
  const mean = sumNll.reduce((a, b) => a + b, 0) / sequences.reduce((sum, { length }) => sum + length - 1, 0);
  expect(mean).toBeCloseTo(modelMeanNll(uneven, reference, sequences), 5);
  const decoder = engine.decoder(uneven.layers, { positions: 8 });
  await decoder.logits(tokens.slice(0, 6));
  await decoder.logits(tokens.slice(6, 7));
  expect(await decoder.logits(tokens.slice(7))).toBeAllclose(logits.subarray(-uneven.vocab), near);
  decoder.close();

  const merged = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { layer, role } of trainer.targets) {
    const { source } = uneven.layers[layer]!;
    const matrix = Float32Array.from(model.reference.layers[source]![role]!);
    const { buffer } = await trainer.merged({ layer, role }, matrix);
    merged.set(`${role} ${source}`, new Uint8Array(buffer));
  }
  expect(merged.size).toBe(7 + 7 + 4);
  const refOf = (role: LayerRole, source: number) => {
    const ref = model.weights.layerTensor(role, source);
    return merged.has(`${role} ${source}`) ? { ...ref, file: `merged ${role} ${source}` } : ref;
  };
  const together = await engine.open({
    id: 'merged',
    shape: uneven,
    weights: {
      ...model.weights,
      layerTensor: refOf,
      read: async (ref, signal) => {
        const own = [...merged].find(([name]) => ref.file === `merged ${name}`);
        if (own === undefined) return model.weights.read(ref, signal);
        const [role, source] = own[0].split(' ') as [LayerRole, string];
        const { begin } = model.weights.layerTensor(role, Number(source));
        return own[1].slice(ref.begin - begin, ref.end - begin);
      },
    },
  });
  expect(await together.logits(uneven.layers, tokens, 'all')).toBeAllclose(logits, { rtol: 1e-5, atol: 1e-5 });

  const factors = factorsOf(uneven);
  for await (const { layer, role, kind, values } of trainer.factors()) {
    const key = factorKey(layer, role, kind);
    expect(values, key).toEqual(Float32Array.from(factors.get(key)!.values));
    factors.delete(key);
  }
  expect(factors.size).toBe(0);
  trainer.close();
  expect(await engine.logits(uneven.layers, tokens, 'all')).toEqual(plain);
});

test('a state that was saved and restored goes on to the last bit, masks included; every step and seed has its own masks', async () => {
  const model = randomModel(uneven, 'F16');
  const first = await opened(model, 0.5);
  const setting = { optimizer, clip: 1 };
  for (let step = 0; step < 2; step++) await first.trainer.step(sequences, setting);
  const saved = new Map<string, Float32Array<ArrayBuffer>>();
  await first.trainer.save(async ({ key, kind, count, first: begin, values }) => {
    const name = `${kind} ${key}`;
    const whole = saved.get(name) ?? new Float32Array(count);
    whole.set(values, begin);
    saved.set(name, whole);
  });
  const third = await first.trainer.step(sequences, setting);
  const second = await opened(model, 0.5);
  const read = async (key: string, kind: string, begin: number, count: number) =>
    saved.get(`${kind} ${key}`)!.slice(begin, begin + count);
  await second.trainer.restore({ steps: 2, read });
  expect(await second.trainer.step(sequences, setting)).toEqual(third);
  await second.trainer.restore({ steps: 3, read });
  expect((await second.trainer.step(sequences, setting)).loss).not.toBe(third.loss);
  const score = async ({ engine }: { engine: Engine }) => (await engine.score(uneven.layers, sequences)).sumNll;
  expect(await score(first)).not.toEqual(await score(second));

  first.trainer.close();
  const start = first.engine.memory().liveBytes;
  const again = first.engine.loraTrainer({ rank, alpha });
  await again.step(sequences, setting);
  expect(first.engine.memory().liveBytes).toBeGreaterThan(start);
  again.close();
  expect(first.engine.memory().liveBytes).toBe(start);
});

test('the values before the first step are those of PEFT: A uniform in ±1/√inner, B zero', () => {
  const factor = { layer: 1, role: 'kProj', kind: 'A', dims: [8, 400] } as const;
  const a = initialFactor(5, factor);
  expect(Math.max(...a.map(Math.abs))).toBeLessThanOrEqual(0.05);
  expect(a.reduce((sum, value) => sum + value * value, 0) / a.length / (0.05 ** 2 / 3)).toBeCloseTo(1, 1);
  expect(initialFactor(6, factor)).not.toEqual(a);
  expect(initialFactor(5, { ...factor, role: 'vProj' })).not.toEqual(a);
  expect(initialFactor(5, { ...factor, kind: 'B', dims: [4, 8] })).toEqual(new Float32Array(32));
});

test('a setting outside its domain is refused', async () => {
  const setting = { rank, alpha, initial };
  for (const wrong of [{ rank: 0 }, { rank: 1.5 }, { alpha: 0 }, { dropout: 1 }, { targets: [] }]) {
    expect(() => new Adapters({ ...setting, ...wrong })).toThrow(expect.objectContaining({ code: 'bad-argument' }));
  }
  const onlyMlp = new Adapters({ ...setting, targets: ['upProj'] });
  expect(onlyMlp.tensors({ shape: uneven }).map(({ key }) => key)).toEqual([
    ...['0 upProj A', '0 upProj B'],
    ...['1 upProj A', '1 upProj B'],
  ]);
});
