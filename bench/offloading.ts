/**
 * @file Blocks that stream: those of a model with 7 billion parameters in the memory of two of them, against all of them on
 * the GPU where there is room. All 32 on a hardware adapter, three on a software one.
 */

import { Engine } from '../src/engine/engine';
import type { GpuContext } from '../src/engine/gpu/device';
import { syntheticWeights } from '../src/engine/testing/testWeights';
import type { ModelShape } from '../src/model/shape';
import { assertNear, race, sequencesFor } from './harness';

const block = { heads: 32, kvHeads: 32, headDim: 128, ffn: 11_008 };

export async function benchOffloading(context: GpuContext): Promise<void> {
  const { software } = context.info;
  const shape: ModelShape = {
    family: 'llama',
    vocab: software ? 64 : 32_000,
    hidden: 4096,
    layers: Array.from({ length: software ? 3 : 32 }, (_, source) => ({ source, ...block })),
    normEps: 1e-5,
    ropeTheta: 10_000,
    maxPositions: 4096,
    tiedHead: false,
  };
  const sequences = software ? sequencesFor(shape, 1, 16) : sequencesFor(shape, 10);
  const model = { shape, weights: syntheticWeights(shape) };
  const streaming = await Engine.create(context, model, { memoryBytes: 1 });
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  const before = streaming.memory();
  before.resetPeak();
  const start = performance.now();
  const alone = await streaming.taylor(sequences);
  const seconds = (performance.now() - start) / 1000;
  const { blocks, peakBytes } = streaming.memory();
  console.log(
    [
      `${blocks.blocks} blocks of ${gb(blocks.bytes / blocks.blocks)}, ${sequences.flat().length} tokens, room for ${blocks.slots}:`,
      `  Taylor ${seconds.toFixed(1)} s, ${gb(blocks.streamedBytes)} streamed (${gb(blocks.streamedBytes / seconds)}/s)`,
      `  peak ${gb(peakBytes)} of a model of ${gb(blocks.bytes)}; beyond weights ${gb(peakBytes - before.liveBytes)}`,
    ].join('\n'),
  );
  const whole = await Engine.create(context, model);
  if (whole.memory().blocks.slots === blocks.blocks) {
    const together = await whole.taylor(sequences);
    alone.layers.forEach(({ total }, index) => {
      assertNear(`Taylor of block ${index}, streamed`, total / together.layers[index]!.total, 1, 1e-6);
    });
    const rivals = {
      streaming: () => streaming.score(shape.layers, sequences),
      whole: () => whole.score(shape.layers, sequences),
    };
    const times = await race(rivals, software ? 1 : 3);
    console.log(`  a forward pass that streams: ${times.text('streaming', 'whole')} of one with all blocks on the GPU`);
  }
  whole.dispose();
  streaming.dispose();
}
