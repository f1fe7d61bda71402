/**
 * @file Building a variant of fewer heads and neurons: bytes that are read from the checkpoint and sent to the GPU, by those of the
 * matrices that the plan changes; and the most that is read at once, in models of 4, 8 and 16 blocks. Counts, not times.
 */
import { Engine } from '../src/engine/engine';
import type { GpuContext } from '../src/engine/gpu/device';
import { syntheticWeights } from '../src/engine/testing/testWeights';
import { layerRoles } from '../src/model/shape';
import { pruned } from '../src/pruning/cuts';
import { planOfUnits } from '../src/pruning/plan';
import { counting } from '../src/weights/testing/countingSource';
import { assertNear, sequencesFor, shapeOf, verdict } from './harness';

const depths = [4, 8, 16];

async function build(context: GpuContext, layers: number) {
  const shape = shapeOf(context, layers);
  const base = counting(syntheticWeights(shape));
  const engine = await Engine.create(context, { shape, weights: base.weights });
  // A quarter of each layer's key/value groups and neurons.
  const keepHeads = shape.layers.map(({ heads }) =>
    Array.from({ length: (heads * 3) / 4 }, (_, head) => head + heads / 4),
  );
  const keepNeurons = shape.layers.map(({ ffn }) =>
    Array.from({ length: ffn }, (_, at) => at).filter((at) => at % 4 !== 1),
  );
  const view = {
    id: 'narrow',
    ...pruned({ shape, weights: base.weights }, planOfUnits('m', [], { keepHeads, keepNeurons })),
  };
  Object.assign(base, { bytes: 0, largest: 0, peak: 0 });
  const before = engine.memory().blocks.uploadedBytes;
  const open = await engine.open(view);
  const uploaded = engine.memory().blocks.uploadedBytes - before;
  const { bytes: read, peak } = base;
  const sequences = sequencesFor(shape, 1, 16);
  const narrow = await open.score(view.shape.layers, sequences);
  const alone = await Engine.create(context, view);
  const again = await alone.score(view.shape.layers, sequences);
  assertNear('loss of the variant beside its base and alone', narrow.sumNll[0]! / again.sumNll[0]!, 1, 1e-6);
  alone.dispose();
  engine.dispose();
  let changed = 0;
  for (const layer of view.shape.layers) {
    for (const role of layerRoles(layer)) {
      const [old, own] = [base.weights, view.weights].map((weights) => weights.layerTensor(role, layer.source));
      if (old!.end - old!.begin !== own!.end - own!.begin) changed += old!.end - old!.begin;
    }
  }
  return { read, uploaded, peak, changed };
}

export async function benchWidthBuild(context: GpuContext): Promise<void> {
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;
  const peaks: number[] = [];
  for (const layers of depths) {
    const { read, uploaded, peak, changed } = await build(context, layers);
    peaks.push(peak);
    const ratio = (read + uploaded) / changed;
    console.log(
      `${layers} blocks: ${mb(read)} read and ${mb(uploaded)} sent for ${mb(changed)} of changed matrices: ` +
        `${ratio.toFixed(2)} of them (${verdict(ratio, { atMost: 2 })}); at most ${mb(peak)} read at once`,
    );
  }
  const growth = Math.max(...peaks) / Math.min(...peaks);
  console.log(`most read at once, deepest by shallowest: ${growth.toFixed(2)} (${verdict(growth, { atMost: 1 })})`);
}
