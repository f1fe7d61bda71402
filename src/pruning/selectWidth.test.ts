/** @file The rules of the width methods on scores that one can check by hand, and what each of them promises. */
import { describe, expect, test } from 'vitest';
import type { StructureScores } from '../importance/method';
import { widthMethods } from '../importance/methods';
import { modelParameters } from '../model/count';
import type { LayerShape, ModelShape } from '../model/shape';
import { createRandom } from '../numerics/random';
import { applyPlan } from './apply';
import { checkPlan, planOfUnits } from './plan';
import { selectWidth, type WidthSelection } from './selectWidth';
import { ruleSentences } from './widthRule';

const layer = (changes: Partial<LayerShape> = {}): LayerShape => ({
  ...{ source: 0, heads: 4, kvHeads: 4, headDim: 2, ffn: 10 },
  ...changes,
});
const model = (layers: readonly Partial<LayerShape>[], hidden = 8): ModelShape => ({
  ...{ family: 'llama', vocab: 16, hidden, normEps: 1e-5, ropeTheta: 1e4, maxPositions: 64, tiedHead: true },
  layers: layers.map((changes, source) => layer({ source, ...changes })),
});

/** Neurons that matter the more the higher their index. */
const rising = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const select = (
  shape: ModelShape,
  selection: Omit<WidthSelection, 'scores'>,
  heads: number[][],
  neurons?: number[][],
) =>
  selectWidth(shape, {
    ...selection,
    scores: { heads, neurons: neurons ?? shape.layers.map(({ ffn }) => rising(ffn)) },
  });

/** Share of all parameters that the selection removes. */
function shareOf(shape: ModelShape, kept: ReturnType<typeof selectWidth>['kept']): number {
  const plan = checkPlan(planOfUnits('m', [], kept), 'm', shape);
  return 1 - modelParameters(applyPlan(shape, plan)) / modelParameters(shape);
}

describe('uniform methods', () => {
  test('as published: int(p · H) heads and int(p · f) neurons of every block, the lowest scores, ties by index', () => {
    const shape = model([{}, { ffn: 7 }]);
    const how = { method: 'wanda-sp', ratio: 0.5, asPublished: true } as const;
    const heads = [
      [3, 1, 2, 1],
      [1, 1, 1, 1],
    ];
    const { kept, rule } = select(shape, how, heads);
    expect(kept).toEqual({
      keepHeads: [
        [0, 2],
        [2, 3],
      ],
      keepNeurons: [
        [5, 6, 7, 8, 9],
        [3, 4, 5, 6],
      ],
    });
    expect(rule).toEqual({ method: 'wanda-sp', ratio: 0.5, asPublished: true });
    // 0.29 · 100 is 28.999… in the arithmetic of the official code.
    const wide = select(model([{ ffn: 100 }]), { ...how, ratio: 0.29 }, [[1, 2, 3, 4]]);
    expect(wide.kept).toEqual({ keepHeads: [[1, 2, 3]], keepNeurons: [rising(100).slice(27, 99)] });
  });

  test('one share decides how many heads go, and the neurons meet the ratio', () => {
    // Heads cost 64, neurons 24; a block has 4 · 64 + 10 · 24 = 496 and norms of 16; outside 16 · 8 + 8 = 136: 1160 in all.
    const shape = model([{}, {}]);
    const taken = (ratio: number) => {
      const { kept } = select(shape, { method: 'magnitude-sp', ratio }, [rising(4), rising(4)]);
      return [4 - (kept.keepHeads[0]?.length ?? 4), 10 - (kept.keepNeurons[0]?.length ?? 10)];
    };
    expect(modelParameters(shape)).toBe(1160);
    expect(taken(0)).toEqual([0, 0]);
    expect(taken(96 / 1160)).toEqual([0, 2]);
    // At p = 0.3: one head and three neurons of each block, 2 · (64 + 72).
    expect(taken(272 / 1160)).toEqual([1, 3]);
    // At p = 0.25 (272 − 48) is closer to 230 than at p = 0.2 (96): one head, and then two neurons.
    expect(taken(230 / 1160)).toEqual([1, 2]);
    // At p = 0.75 (720) is closer to 696 than at p = 0.7 (592): three heads, and of 6 and 7 neurons the fewer.
    expect(taken(0.6)).toEqual([3, 6]);
  });

  test('a model of unlike blocks loses the same share of each', () => {
    const shape = model([{ ffn: 20 }, { heads: 0, kvHeads: 0 }, { ffn: 0 }, { heads: 8, kvHeads: 8 }]);
    const heads = [rising(4), [], rising(4), rising(8)];
    const { kept } = select(shape, { method: 'random', ratio: 0.3, asPublished: true }, heads);
    expect(kept.keepHeads.map((list) => list?.length ?? null)).toEqual([3, null, 3, 6]);
    expect(kept.keepNeurons.map((list) => list?.length ?? null)).toEqual([14, 7, null, 7]);
    const ours = select(shape, { method: 'random', ratio: 0.3 }, heads);
    expect(shareOf(shape, ours.kept)).toBeCloseTo(0.3, 1);
  });
});

describe('grouped queries', () => {
  const grouped = model([{ heads: 6, kvHeads: 3 }]);
  const how = { method: 'wanda-sp', ratio: 0.4, asPublished: true } as const;

  test('whole key/value groups by the sum of their heads', () => {
    // Sums 9, 4, 7.
    expect(select(grouped, how, [[1, 8, 2, 2, 0, 7]]).kept.keepHeads).toEqual([[0, 1, 4, 5]]);
  });

  test('or the same number of the lowest heads of each group', () => {
    const { kept, rule } = select(grouped, { ...how, ratio: 0.5, heads: 'within-groups' }, [[1, 8, 2, 2, 9, 7]]);
    expect(kept.keepHeads).toEqual([[1, 3, 4]]);
    expect(ruleSentences(rule)).toContain('Every key/value group loses the same number of query heads.');
  });

  test('one key/value head loses heads within it', () => {
    const multi = model([{ heads: 4, kvHeads: 1 }]);
    expect(select(multi, how, [[4, 1, 2, 3]]).kept.keepHeads).toEqual([[0, 2, 3]]);
  });

  test('LLM-Pruner scores groups: a single one stays, and half of one is refused', () => {
    const pruner = { method: 'llm-pruner', ratio: 0.3, protect: { first: 0, last: 0 } } as const;
    const multi = model([{ heads: 4, kvHeads: 1 }]);
    const { kept, rule } = select(multi, pruner, [[5]]);
    expect(kept.keepHeads).toEqual([null]);
    expect(shareOf(multi, kept)).toBeCloseTo(0.3, 1);
    expect(ruleSentences(rule).at(-1)).toBe('All heads of block 0 stay: none of them can be removed alone.');
    expect(() => select(grouped, { ...pruner, heads: 'within-groups' }, [[1, 2, 3]])).toThrow(
      /scores whole key\/value/,
    );
    expect(select(grouped, { ...pruner, asPublished: true, ratio: 0.4 }, [[2, 1, 3]]).kept.keepHeads).toEqual([[4, 5]]);
  });

  test('OLMo 2: norms over all heads keep them, and the neurons carry the ratio', () => {
    const shape = model([{ qkNorm: 'all', normPlacement: 'post' }, {}]);
    const { kept, rule } = select(shape, { method: 'wanda-sp', ratio: 0.25 }, [rising(4), rising(4)]);
    expect(kept.keepHeads[0]).toBeNull();
    expect(rule.wholeHeads).toEqual([0]);
    expect(shareOf(shape, kept)).toBeCloseTo(0.25, 1);
  });
});

describe('FLAP', () => {
  test('heads and neurons of all blocks compete; a head costs its parameters', () => {
    // A head costs 64 of 1160 parameters, a neuron 24.
    const shape = model([{}, {}]);
    const heads = [
      [-1, 5, 5, 5],
      [5, 5, 5, 5],
    ];
    const neurons = [
      [-3, -2, 5, 5, 5, 5, 5, 5, 5, 5],
      [-2, 0, 5, 5, 5, 5, 5, 5, 5, 5],
    ];
    const at = (parameters: number) => select(shape, { method: 'flap', ratio: parameters / 1160 }, heads, neurons).kept;
    const lost = (parameters: number) => {
      const { keepHeads, keepNeurons } = at(parameters);
      return [keepHeads, keepNeurons].map((lists, kind) =>
        lists.map((list) => (list ? [4, 10][kind]! - list.length : 0)),
      );
    };
    expect(lost(24)).toEqual([
      [0, 0],
      [1, 0],
    ]);
    expect(lost(48)).toEqual([
      [0, 0],
      [2, 0],
    ]);
    expect(lost(72)).toEqual([
      [0, 0],
      [2, 1],
    ]);
    expect(lost(136)).toEqual([
      [1, 0],
      [2, 1],
    ]);
    expect(lost(160)).toEqual([
      [1, 0],
      [2, 2],
    ]);
    // The head is too large for 100, but 4 neurons are 96.
    expect(lost(100)).toEqual([
      [0, 0],
      [2, 2],
    ]);
    expect(at(136).keepHeads[0]).toEqual([1, 2, 3]);
  });

  test('a group scores the mean of its heads', () => {
    const shape = model([{ heads: 4, kvHeads: 2, ffn: 2 }]);
    // Groups −1 and 2, neurons 0 and 3. A group costs 96.
    const { kept } = select(shape, { method: 'flap', ratio: 96 / modelParameters(shape) }, [[-5, 3, 2, 2]], [[0, 3]]);
    expect(kept).toEqual({ keepHeads: [[2, 3]], keepNeurons: [null] });
  });

  test('as published: a head counts 170 neurons, and the last of a kind stays', () => {
    const shape = model([{ ffn: 170 }, { ffn: 170 }]);
    // From above: 7 heads (1190), 170 neurons (1360), the head (1530), 170 neurons (1700).
    const heads = [rising(4).map((value) => 400 + value), [1, 401, 402, 403]];
    const neurons = [rising(170).map((value) => value + 100), rising(170).map((value) => value - 200)];
    const how = { method: 'flap', asPublished: true } as const;
    // 0.9 · 1700 is reached with the head, which goes too: more than the threshold stays.
    expect(select(shape, { ...how, ratio: 0.1 }, heads, neurons)).toEqual({
      kept: { keepHeads: [null, [1, 2, 3]], keepNeurons: [null, [169]] },
      rule: { method: 'flap', ratio: 0.1, asPublished: true, spared: [1] },
    });
    // 0.8 · 1700 is reached with the first neuron of block 0.
    const { kept } = select(shape, { ...how, ratio: 0.2 }, heads, neurons);
    expect(kept.keepHeads).toEqual([null, [1, 2, 3]]);
    expect(kept.keepNeurons[0]).toEqual(rising(169));
    expect(select(shape, { ...how, ratio: 0 }, heads, neurons).kept).toEqual({
      keepHeads: [null, null],
      keepNeurons: [null, null],
    });
  });
});

describe('LLM-Pruner', () => {
  test.each([
    [2, []],
    [3, [0, 2]],
    [11, [0, 10]],
    [12, [0, 1, 2, 3, 10, 11]],
  ])('%i blocks: protects %j', (layers, whole) => {
    const shape = model(Array.from({ length: layers }, () => ({})));
    const heads = shape.layers.map(() => rising(4));
    const { kept, rule } = select(shape, { method: 'llm-pruner', ratio: 0.2 }, heads);
    expect(rule.protected ?? []).toEqual(whole);
    kept.keepNeurons.forEach((list, index) => {
      expect(list === null).toBe(whole.includes(index));
    });
    expect(shareOf(shape, kept)).toBeCloseTo(0.2, 1);
  });

  test('as published: what stays is int(C · (1 − p)), in all but the first four and the last two', () => {
    const shape = model(Array.from({ length: 7 }, () => ({})));
    const heads = shape.layers.map(() => rising(4));
    const { kept } = select(shape, { method: 'llm-pruner', ratio: 0.3, asPublished: true }, heads);
    // int(4 · 0.7) = 2 heads and int(10 · 0.7) = 7 neurons stay.
    expect(kept.keepHeads).toEqual([null, null, null, null, [2, 3], null, null]);
    expect(kept.keepNeurons[4]).toEqual([3, 4, 5, 6, 7, 8, 9]);
    expect(() => select(shape, { method: 'llm-pruner', ratio: 0.8, asPublished: true }, heads)).toThrow(
      "'llm-pruner' can remove at most 0.75 of the heads and neurons of each block, because every block keeps at least one head and one neuron and blocks 0–3, 5, 6 stay whole; got 0.8",
    );
    const small = model([{}, {}, {}]);
    const few = small.layers.map(() => rising(4));
    expect(() => select(small, { method: 'llm-pruner', ratio: 0.1, asPublished: true }, few)).toThrow(/at most 0 of/);
  });
});

describe('widths that are multiples', () => {
  const shape = model([{ ffn: 44 }, { ffn: 44 }, { ffn: 12 }]);
  const heads = shape.layers.map(() => rising(4));
  test.each(['wanda-sp', 'flap', 'llm-pruner'] as const)('%s: the nearest multiple of 16; all of fewer', (method) => {
    const neurons = shape.layers.map(({ ffn }) => rising(ffn));
    const how = { method, ratio: 0.25, roundTo: 16, protect: { first: 0, last: 0 } } as const;
    const { kept, rule } = select(shape, how, heads, neurons);
    const [first, second, third] = kept.keepNeurons.map((list) => list?.length ?? null);
    expect([16, 32, null]).toContain(first);
    expect([16, 32, null]).toContain(second);
    expect(third).toBeNull();
    expect(rule.roundTo).toBe(16);
    // 16 neurons of both blocks are 768 of 3672 parameters.
    expect(Math.abs(shareOf(shape, kept) - 0.25)).toBeLessThanOrEqual(384 / modelParameters(shape));
  });
});

describe('bad input', () => {
  const shape = model([{}, {}]);
  const good = { heads: [rising(4), rising(4)], neurons: [rising(10), rising(10)] };

  test.each(['wanda-sp', 'flap', 'random'] as const)('%s: a ratio that empties a layer names the largest', (method) => {
    // Three heads and nine neurons of both blocks: 2 · (192 + 216) of 1160.
    expect(() => selectWidth(shape, { method, scores: good, ratio: 0.71 })).toThrow(
      `'${method}' can remove at most 0.7034 of the model’s parameters`,
    );
    const { kept } = selectWidth(shape, { method, scores: good, ratio: 0.7034 });
    expect([...kept.keepHeads, ...kept.keepNeurons].map((list) => list?.length)).toEqual([1, 1, 1, 1]);
    for (const ratio of [-0.1, 1, Number.NaN]) {
      expect(() => selectWidth(shape, { method, scores: good, ratio })).toThrow(/0 ≤ ratio < 1/);
    }
  });

  test('scores that are not finite', () => {
    const scores = { ...good, neurons: [rising(10), [Number.NaN, Infinity, ...rising(8)]] };
    expect(() => selectWidth(shape, { method: 'flap', scores, ratio: 0.1 })).toThrow(
      "Scores by 'flap': 2 of the 10 neurons of block 1 have a score that is not a finite number.",
    );
    const heads = [[-Infinity, 1, 2, 3], rising(4)];
    expect(() => selectWidth(shape, { method: 'llm-pruner', scores: { ...good, heads }, ratio: 0.1 })).toThrow(
      /1 of the 4 key\/value groups of block 0/,
    );
  });

  test('scores of another shape are a bug', () => {
    const scores = { ...good, heads: [rising(4)] };
    expect(() => selectWidth(shape, { method: 'random', scores, ratio: 0.1 })).toThrow(
      /expected 4, 4 … heads by block/,
    );
  });
});

/** Shapes of every family's kind: grouped and single queries, biases, norms over all heads, missing sub-blocks. */
const families: Readonly<Record<string, ModelShape>> = {
  'many heads': model([{}, {}, {}, {}]),
  'grouped queries': model(
    Array.from({ length: 5 }, () => ({ heads: 8, kvHeads: 4, headDim: 8, ffn: 172 })),
    64,
  ),
  'one key/value head': model(
    Array.from({ length: 3 }, () => ({ heads: 8, kvHeads: 1, headDim: 16, ffn: 96 })),
    32,
  ),
  biases: model(
    Array.from({ length: 4 }, () => ({
      ...{ heads: 6, kvHeads: 2, ffn: 40 },
      biases: ['qBias', 'kBias', 'vBias', 'gateBias', 'upBias', 'downBias'] as const,
    })),
  ),
  'norms over all heads': model(Array.from({ length: 4 }, () => ({ qkNorm: 'all', normPlacement: 'post', ffn: 64 }))),
  'missing sub-blocks': model([{}, { heads: 0, kvHeads: 0 }, { ffn: 0 }, { heads: 1, kvHeads: 1, ffn: 30 }]),
};

describe.each(Object.entries(families))('%s', (_, shape) => {
  test.each(widthMethods.map(({ id }) => id))(
    '%s meets every ratio as closely as one more or less neuron could',
    (method) => {
      const next = createRandom(7);
      const group = method === 'llm-pruner';
      const scores: StructureScores = {
        heads: shape.layers.map(({ heads, kvHeads }) => Array.from({ length: group ? kvHeads : heads }, next)),
        neurons: shape.layers.map(({ ffn }) => Array.from({ length: ffn }, next)),
      };
      const options = [{}, { heads: 'within-groups' as const }, { roundTo: 8 as const }, { roundTo: 32 as const }];
      const total = modelParameters(shape);
      let met = 0;
      for (const option of options) {
        if (group && 'heads' in option) continue;
        for (const ratio of [0.05, 0.2, 0.35]) {
          const how = { ...option, method, scores, ratio };
          const found = reachable(() => selectWidth(shape, how));
          if (found === null) continue;
          const { kept } = found;
          met += 1;
          kept.keepNeurons.forEach((list, index) => {
            if (list === null || !('roundTo' in option)) return;
            expect(list.length % option.roundTo, `block ${index}`).toBe(0);
          });
          // One neuron (or one multiple of them) in each block that has some; FLAP takes them block by block.
          const one = (roundTo: number) => shape.layers.map(({ ffn }) => (ffn >= roundTo ? roundTo : 0));
          const steps = one('roundTo' in option ? option.roundTo : 1).map(
            (count, index) => count * costOf(shape, index),
          );
          const step = method === 'flap' ? Math.max(...steps) : steps.reduce((a, b) => a + b, 0);
          const freeHeads = kept.keepNeurons.every((list) => list?.length === 1 || list === null);
          if (!freeHeads) expect(Math.abs(shareOf(shape, kept) - ratio) * total).toBeLessThanOrEqual(step / 2 + 1e-6);
        }
      }
      expect(met).toBeGreaterThan(2);
    },
  );
});

/** Parameters of a neuron. */
const costOf = ({ hidden, layers }: ModelShape, index: number): number =>
  3 * hidden + (layers[index]!.biases ?? []).filter((bias) => bias === 'gateBias' || bias === 'upBias').length;

/** Null where the ratio is refused as out of reach. */
function reachable<T>(make: () => T): T | null {
  try {
    return make();
  } catch (thrown) {
    expect(String(thrown)).toContain('can remove at most');
    return null;
  }
}
