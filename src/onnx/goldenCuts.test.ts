/** @file Graphs of golden checkpoints pruned in width, with and without FLAP's biases, on onnxruntime-node: PyTorch's numbers. */
import { describe, expect, test } from 'vitest';
import { longTier } from '../engine/testing/harness';
import { modelParameters } from '../model/count';
import { logSumExp } from '../numerics/crossEntropy';
import type { Weighted } from '../pruning/cuts';
import {
  biasedModel,
  type CutNumbers,
  cutModel,
  type GoldenCuts,
  goldenNames,
  readCuts,
} from '../pruning/testing/goldenCuts';
import { buildGraph } from './graph';
import { openGraph } from './testing/runGraph';

/** Mean loss and logits of a model, all sequences in one run, against PyTorch's. */
async function expectNumbers(golden: GoldenCuts, { shape, weights }: Weighted, wanted: CutNumbers, label: string) {
  const running = await openGraph(buildGraph(shape, weights, { maxPositions: 64 }), shape);
  const logits = await running.step(golden.sequences);
  const length = golden.sequences[0]!.length;
  const rowOf = (sequence: number, position: number) => {
    const row = sequence * length + position;
    return logits.subarray(row * shape.vocab, (row + 1) * shape.vocab);
  };
  let sum = 0;
  golden.sequences.forEach((tokens, sequence) => {
    for (const [position, next] of tokens.slice(1).entries()) {
      const row = rowOf(sequence, position);
      sum += logSumExp(row) - row[next]!;
    }
  });
  const meanNll = sum / (golden.sequences.length * (length - 1));
  expect.soft(Math.abs(meanNll / wanted.mean_nll - 1), `${label}: loss ${meanNll}`).toBeLessThan(1e-5);
  golden.logitsAt.forEach(([sequence, position], at) => {
    const row = rowOf(sequence, position);
    const size = Math.max(...row.map(Math.abs));
    wanted.logits[at]!.forEach((value, id) => {
      expect.soft(Math.abs(row[id]! - value) / size, `${label}: logit ${id} at ${position}`).toBeLessThan(1e-5);
    });
  });
}

describe.each(goldenNames)('%s', (name) => {
  test('pruned in width, of other sizes in every layer', async () => {
    const golden = readCuts(name);
    // All cuts share the graph's code: FLAP's differ from layer to layer, Wanda-sp's lose heads of each group. FLAP's are tried with biases.
    const some = golden.width.filter(
      ({ method, share }) => share === 0.35 && (method === 'flap' || method === 'wanda-sp'),
    );
    expect(some).toHaveLength(2);
    for (const cut of longTier ? golden.width : some) {
      const label = `${cut.method} ${cut.share}`;
      const model = cutModel(golden, cut);
      expect(modelParameters(model.shape)).toBe(cut.parameters);
      if (longTier || cut.method !== 'flap') await expectNumbers(golden, model, cut, label);
      if (!longTier && cut.method !== 'flap') continue;
      const biased = await biasedModel(golden, cut);
      expect(biased.shape.layers.some(({ biases }) => biases?.includes('downBias'))).toBe(true);
      await expectNumbers(golden, biased, cut.flap_bias, `${label} with biases`);
    }
  });
});
