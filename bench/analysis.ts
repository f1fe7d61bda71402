/** @file What the criteria cost in forward passes, and how much memory they take, against the model's depth. */

import { Engine } from '../src/engine/engine';
import type { GpuContext } from '../src/engine/gpu/device';
import { randomModel } from '../src/engine/testing/testWeights';
import { assertNear, race, sequencesFor, shapeOf, verdict } from './harness';

const goals = { sweep: { atMost: 0.6 }, taylor: { atMost: 4.4 }, kept: { atMost: 3.4 } };
const everything = 2 ** 32;

export async function benchAnalysis(context: GpuContext): Promise<void> {
  const samples = context.info.software ? 2 : 10;
  const beyond: number[] = [];
  const leastPeaks: number[] = [];
  for (const layers of [4, 8, 16, 32]) {
    const shape = shapeOf(context, layers);
    const sequences = sequencesFor(shape, samples);
    const model = randomModel(shape, 'F16');
    const engine = await Engine.create(context, model);
    if (!context.info.software) await engine.tune();
    const removals = shape.layers.map((_, layer) => ({ layer, kind: 'block' as const }));

    const [first] = await engine.removalSweep(sequences, removals);
    const alone = await engine.score(shape.layers.slice(1), sequences);
    assertNear('loss without block 0', first!, alone.sumNll.reduce((a, b) => a + b, 0) / alone.tokens, 1e-4);
    const recomputed = await engine.taylor(sequences);
    const kept = await engine.taylor(sequences, { keepBytes: everything });
    assertNear('Taylor of block 0, kept', kept.layers[0]!.total / recomputed.layers[0]!.total, 1, 1e-4);

    const { liveBytes: weights } = engine.memory();
    engine.memory().resetPeak();
    await engine.combinedPass(sequences);
    const { peakBytes } = engine.memory();
    const inputs = layers * sequences.flat().length * shape.hidden * 4;
    beyond.push(peakBytes - weights - inputs);
    const least = await Engine.create(context, { shape, weights: model.weights }, { memoryBytes: 1 });
    const offloaded = await least.taylor(sequences);
    assertNear('Taylor of block 0, streamed', offloaded.layers[0]!.total / recomputed.layers[0]!.total, 1, 1e-6);
    leastPeaks.push(least.memory().peakBytes);
    least.dispose();

    const times = await race(
      {
        forward: () => engine.score(shape.layers, sequences),
        taylor: () => engine.taylor(sequences),
        kept: () => engine.taylor(sequences, { keepBytes: everything }),
        survey: () => engine.combinedPass(sequences),
      },
      layers > 8 ? 3 : 5,
    );
    const sweeps = await race(
      { forward: () => engine.score(shape.layers, sequences), sweep: () => engine.removalSweep(sequences, removals) },
      layers > 8 ? 2 : 4,
    );
    const sweep = sweeps.ratio('sweep', 'forward') / (layers + 1);
    const mb = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;
    console.log(
      [
        `${layers} blocks × ${shape.hidden}, ${sequences.flat().length} tokens: forward ${times.mean('forward').toFixed(0)} ms`,
        `  sweep of all blocks: ${sweep.toFixed(2)} × (L + 1) forwards, ${verdict(sweep, goals.sweep)}`,
        `  Taylor, recomputing: ${times.text('taylor', 'forward')} forwards, ${verdict(times.ratio('taylor', 'forward'), goals.taylor)}`,
        `  Taylor, keeping: ${times.text('kept', 'forward')} forwards, ${verdict(times.ratio('kept', 'forward'), goals.kept)}`,
        `  survey, recomputing: ${times.text('survey', 'taylor')} Taylor passes`,
        `  peak ${mb(peakBytes)}: weights ${mb(weights)}, block inputs ${mb(inputs)}, beyond both ${mb(beyond.at(-1)!)}`,
        `  peak of Taylor in the least memory, two blocks streaming: ${mb(leastPeaks.at(-1)!)}`,
      ].join('\n'),
    );
    engine.dispose();
  }
  // Beside weights and inputs: the widest activations, and a cosine per token and a row per window for every block.
  assertNear('growth of the least memory', Math.max(...leastPeaks) / Math.min(...leastPeaks), 1, 0.001);
  assertNear('growth of the memory beyond both', Math.max(...beyond) / Math.min(...beyond), 1, 0.25);
}
