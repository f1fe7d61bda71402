/** @file Broken weights and states that overflow, asked of the whole engine: no number, and a message that names the place. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { LabError } from '../../errors';
import type { TensorRef, WeightSource } from '../../model/weights';
import { Engine, type EngineOptions } from '../engine';
import type { GpuContext } from '../gpu/device';
import { sharedTestDevice } from '../testing/harness';
import { block, randomModel, stored, type TestModel, tinyShape } from '../testing/testWeights';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

const shape = tinyShape([block(0), block(1), block(2)]);
const sequences = [
  [1, 5, 9, 13, 2, 60, 7],
  [3, 4, 5],
];

/** The model with one stored value replaced. */
function broken({ weights, ...rest }: TestModel, tensor: TensorRef, index: number, value: number): TestModel {
  const size = tensor.dtype === 'F32' ? 4 : 2;
  const bytes = stored(Float32Array.of(value), tensor.dtype).bytes;
  const at = tensor.begin + index * size;
  const read: WeightSource['read'] = async (part) => {
    const found = await weights.read(part);
    if (part.name === tensor.name && part.begin <= at && at < part.end) found.set(bytes, at - part.begin);
    return found;
  };
  return { ...rest, weights: { ...weights, read } };
}

async function withEngine<T>(model: TestModel, work: (engine: Engine) => Promise<T>, options: EngineOptions = {}) {
  const engine = await Engine.create(context, model, options);
  try {
    return await work(engine);
  } finally {
    engine.dispose();
  }
}

const failureOf = (work: Promise<unknown>): Promise<LabError> =>
  work.then(
    (value) => {
      throw new Error(`expected a refusal, got ${JSON.stringify(value)}`);
    },
    (thrown: LabError) => thrown,
  );

/** Everything that uses the whole model. */
const questions: Record<string, (engine: Engine) => Promise<unknown>> = {
  score: (engine) => engine.score(shape.layers, sequences),
  sweep: (engine) => engine.removalSweep(sequences, [{ layer: 0, kind: 'block' }]),
  divergence: (engine) => engine.divergence([shape.layers.slice(1)], sequences),
  statistics: (engine) => engine.blockStatistics(sequences),
  halves: (engine) => engine.subBlockInfluence(sequences),
  columns: (engine) => engine.columnSums(),
  taylor: (engine) => engine.taylor(sequences),
  survey: (engine) => engine.combinedPass(sequences, { width: true }),
  width: (engine) => engine.widthStatistics(sequences),
  logits: (engine) => engine.logits(shape.layers, sequences[0]!, 'last'),
};

test('a broken bias of the MLP is refused by its name; without that MLP the model answers', async () => {
  const layers = [block(0), block(1, { biases: ['gateBias', 'downBias'] })];
  const model = randomModel(tinyShape(layers), 'F16');
  const tensor = model.weights.layerTensor('gateBias', 1);
  await withEngine(broken(model, tensor, 43, Number.NaN), async (engine) => {
    const failure = await failureOf(engine.score(layers, sequences));
    expect(failure.code).toBe('non-finite');
    expect(failure.message).toContain('gateBias 1[43] = NaN: 1 of its 44 values is not finite');
    const { sumNll } = await engine.score([layers[0]!, { ...layers[1]!, ffn: 0 }], sequences);
    expect(sumNll.every(Number.isFinite)).toBe(true);
  });
});

describe.each([
  ['F32', Number.POSITIVE_INFINITY],
  ['F16', Number.NaN],
  ['BF16', Number.NEGATIVE_INFINITY],
] as const)('%s weights with %f in a block', (dtype, value) => {
  const model = randomModel(shape, dtype);
  const tensor = model.weights.layerTensor('downProj', 1);

  test('every task that would use it is refused with its name, index and value; the others answer', async () => {
    await withEngine(broken(model, tensor, 5, value), async (engine) => {
      // One type of weights answers for all: the others' kernels would take their time to compile.
      const { score, ...more } = questions;
      const asked = {
        score: score!,
        magnitudes: (each: Engine) => each.magnitudes(),
        ...(dtype === 'F32' ? more : {}),
      };
      for (const [name, ask] of Object.entries(asked)) {
        const failure = await failureOf(ask(engine));
        expect(failure.code, name).toBe('non-finite');
        expect(failure.message, name).toContain(`downProj 1[5] = ${value}: 1 of its ${32 * 44} values is not finite`);
      }
      const without = [shape.layers[0]!, { ...shape.layers[1]!, ffn: 0 }, shape.layers[2]!];
      const { sumNll } = await engine.score(without, sequences);
      const whole = await withEngine(model, (good) => good.score(without, sequences));
      expect(sumNll).toEqual(whole.sumNll);
    });
  });
});

test('the same where blocks take turns on the GPU', async () => {
  const model = randomModel(shape, 'F32');
  const tensor = model.weights.layerTensor('kProj', 2);
  const work = async (engine: Engine): Promise<void> => {
    expect(engine.memory().blocks).toMatchObject({ blocks: 3, slots: 2 });
    expect((await failureOf(engine.taylor(sequences))).message).toContain('kProj 2[7] = NaN');
    const { sumNll } = await engine.score(shape.layers.slice(0, 2), sequences);
    expect(sumNll.every(Number.isFinite)).toBe(true);
    expect((await failureOf(engine.blockStatistics(sequences))).message).toContain('kProj 2[7] = NaN');
  };
  await withEngine(broken(model, tensor, 7, Number.NaN), work, { memoryBytes: 1 });
});

test('an embedding of its own: only texts that have the broken token are refused; a head always', async () => {
  const untied = { ...shape, tiedHead: false };
  const model = randomModel(untied, 'F32');
  const embed = model.weights.modelTensor('embed');
  await withEngine(broken(model, embed, 60 * shape.hidden + 1, Number.NaN), async (engine) => {
    expect((await failureOf(engine.score(shape.layers, sequences))).message).toContain(`embed[${60 * 32 + 1}] = NaN`);
    const { sumNll } = await engine.score(shape.layers, sequences.slice(1));
    expect(sumNll.every(Number.isFinite)).toBe(true);
  });
  await withEngine(broken(model, model.weights.modelTensor('lmHead'), 9, Number.NaN), async (engine) => {
    expect((await failureOf(engine.score(shape.layers, sequences))).message).toContain('lmHead[9] = NaN');
    expect((await failureOf(engine.divergence([shape.layers], sequences))).message).toContain('lmHead[9] = NaN');
    // Nothing asks the head here.
    expect((await engine.blockStatistics(sequences)).influence.every(Number.isFinite)).toBe(true);
  });
  await withEngine(broken(model, model.weights.modelTensor('finalNorm'), 2, Number.NaN), async (engine) => {
    expect((await failureOf(engine.taylor(sequences))).message).toContain('finalNorm[2] = NaN');
  });
});

describe('finite weights whose products overflow', () => {
  const model = randomModel(shape, 'F32');
  const tensor = model.weights.layerTensor('downProj', 1);
  const overflowing = broken(model, tensor, 5, 3.4e38);

  test.each(Object.entries(questions).filter(([name]) => !['sweep', 'divergence', 'logits', 'columns'].includes(name)))(
    '%s: the place is named',
    async (_name, ask) => {
      // Twice as much as float32 holds in the next block, if not in this one.
      const failure = await failureOf(withEngine(overflowing, ask));
      expect(failure.code).toBe('non-finite');
      expect(failure.message).toMatch(
        /is not a finite number: the state behind the (MLP of block 1|attention of block 2) is (NaN|-?Infinity) \(token \d+ of its window, channel \d+\)\./,
      );
    },
  );

  test('a sweep and a divergence have numbers for those variants that do without the block', async () => {
    await withEngine(overflowing, async (engine) => {
      const removals = [0, 1, 2].map((layer) => ({ layer, kind: 'block' }) as const);
      const losses = await engine.removalSweep(sequences, removals);
      expect(losses.map(Number.isFinite)).toEqual([false, true, false]);
      const failure = await failureOf(engine.removalSweep(sequences, [removals[0]!]));
      expect(failure.message).toContain('block');
      expect((await failureOf(engine.divergence([shape.layers.slice(1)], sequences))).code).toBe('non-finite');
    });
  });
});
