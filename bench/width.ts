/** @file What the width statistics cost in forward passes: in one dense pass, and block by block with pruned outputs. */

import { Engine } from '../src/engine/engine';
import type { GpuContext } from '../src/engine/gpu/device';
import { randomModel } from '../src/engine/testing/testWeights';
import { assertNear, race, sequencesFor, shapeOf, verdict } from './harness';

const goals = { dense: { atMost: 1.3 }, recurrence: { atMost: 1.3 }, sequence: { atMost: 2.6 } };

export async function benchWidth(context: GpuContext): Promise<void> {
  const shape = shapeOf(context, 8);
  const sequences = sequencesFor(shape, context.info.software ? 4 : 16);
  const engine = await Engine.create(context, randomModel(shape, 'F16'));
  if (!context.info.software) await engine.tune();
  const all = () => ({ heads: null, neurons: null });

  const dense = await engine.widthStatistics(sequences);
  const inSequence = await engine.widthInSequence(sequences, all);
  // Σ x² of every channel is what two windows have alone, and what nothing pruned leaves.
  const squares = ({ layers, tokens }: typeof dense, index: number): number => {
    const { mean, deviations } = layers[index]!.mlp!;
    return deviations.reduce((sum, each, j) => sum + each + tokens * mean[j]! ** 2, 0);
  };
  const alone = await Promise.all(sequences.map((sequence) => engine.widthStatistics([sequence])));
  for (const index of shape.layers.keys()) {
    const expected = alone.reduce((sum, one) => sum + squares(one, index), 0);
    assertNear(`Σ x² of block ${index}`, squares(dense, index) / expected, 1, 1e-4);
    assertNear(`Σ x² of block ${index}, block by block`, squares(inSequence, index) / expected, 1, 1e-4);
  }

  const half = { heads: shape.layers[0]!.heads / 2, neurons: shape.layers[0]!.ffn / 2 };
  const first = (count: number) => Array.from({ length: count }, (_, index) => index);
  const kept = { heads: first(half.heads), neurons: first(half.neurons) };
  const times = await race(
    {
      forward: () => engine.score(shape.layers, sequences),
      dense: () => engine.widthStatistics(sequences),
      recurrence: () => engine.widthStatistics(sequences, { recurrence: true }),
      sequence: () => engine.widthInSequence(sequences, () => kept),
    },
    5,
  );
  const line = (name: keyof typeof goals, what: string): string =>
    `  ${what}: ${times.text(name, 'forward')} forwards, ${verdict(times.ratio(name, 'forward'), goals[name])}`;
  console.log(
    [
      `8 blocks × ${shape.hidden}, ${sequences.flat().length} tokens: forward ${times.mean('forward').toFixed(0)} ms`,
      line('dense', 'width statistics'),
      line('recurrence', 'width statistics with the official recurrence of FLAP'),
      line('sequence', 'width statistics block by block, half of each pruned'),
    ].join('\n'),
  );
  engine.dispose();
}
