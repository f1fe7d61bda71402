/**
 * @file How fast the engine is, as ratios within one run: against ONNX Runtime's WebGPU provider, and against itself.
 *
 * Every figure is validated before it is timed. On a software adapter the ratios say which kernels a CPU likes; absolute
 * times hold only on a named GPU (RESULTS.md).
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { measurePerplexity } from '../src/benchmark/perplexity';
import { openSession } from '../src/benchmark/session';
import { pretendBrowser, webLibrary } from '../src/benchmark/testing/webLibraryInNode';
import type { GpuContext } from '../src/engine/device';
import { Engine } from '../src/engine/engine';
import { openTestDevice } from '../src/engine/testing';
import { randomModel } from '../src/engine/testWeights';
import { modelParameters } from '../src/model/count';
import type { ModelShape } from '../src/model/shape';
import { createRandom, randomInt } from '../src/numerics/random';
import { median } from '../src/numerics/statistics';

let context: GpuContext;
let restore = (): void => undefined;
beforeAll(async () => {
  context = await openTestDevice();
  restore = pretendBrowser();
  console.log(`adapter: ${context.info.adapter}${context.info.software ? ' (software: ratios only)' : ''}`);
});
afterAll(() => {
  restore();
  context.device.destroy();
});

/** The demo's proportions on a software adapter; blocks of a 1B model where there is a GPU. */
function shapeOf(layers: number): ModelShape {
  const block = context.info.software
    ? { heads: 8, kvHeads: 4, headDim: 16, ffn: 352 }
    : { heads: 32, kvHeads: 8, headDim: 64, ffn: 5632 };
  return {
    family: 'llama',
    vocab: context.info.software ? 1792 : 32000,
    hidden: context.info.software ? 128 : 2048,
    layers: Array.from({ length: layers }, (_, source) => ({ source, ...block })),
    normEps: 1e-5,
    ropeTheta: 10000,
    maxPositions: 512,
    tiedHead: true,
  };
}

function windowsFor(shape: ModelShape, samples: number, seqLen = 128): number[][] {
  const random = createRandom(7);
  return Array.from({ length: samples }, () => Array.from({ length: seqLen }, () => randomInt(random, shape.vocab)));
}

/** Median milliseconds of a few runs after one warm-up; fewer runs where each takes long. */
async function time(work: () => Promise<unknown>): Promise<number> {
  await work();
  const runs: number[] = [];
  const began = performance.now();
  while (runs.length < 3 || (runs.length < 10 && performance.now() - began < 3000)) {
    const start = performance.now();
    await work();
    runs.push(performance.now() - start);
  }
  return median(runs);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

test('forward tokens per second, against the WebGPU provider of ONNX Runtime', async () => {
  const shape = shapeOf(context.info.software ? 12 : 4);
  const model = randomModel(shape, 'F16');
  const windows = windowsFor(shape, context.info.software ? 2 : 8);
  const tokens = windows.flat().length;
  const engine = await Engine.create(context, model);
  const options = { ...model, runtime: 'ort-webgpu' as const, device: context.device, library: webLibrary };
  const session = await openSession(options);

  const ours = await engine.score(shape.layers, windows);
  const theirs = await measurePerplexity(session, windows);
  expect(Math.abs(mean(ours.sumNll) / (windows[0]!.length - 1) - theirs.meanNll)).toBeLessThan(1e-3);

  const oursMs = await time(() => engine.score(shape.layers, windows));
  const theirsMs = await time(() => measurePerplexity(session, windows));
  console.log(
    `forward, ${shape.layers.length} blocks × ${shape.hidden}, ${(modelParameters(shape) / 1e6).toFixed(1)} M parameters, ${tokens} tokens: ` +
      `engine ${((1000 * tokens) / oursMs).toFixed(0)} tokens/s, ONNX Runtime WebGPU ${((1000 * tokens) / theirsMs).toFixed(0)} tokens/s, ` +
      `ratio ${(theirsMs / oursMs).toFixed(2)}`,
  );
  await session.release();
  engine.dispose();
});

test('sweep and Taylor pass in forward passes, and peak memory, against depth', async () => {
  const samples = context.info.software ? 2 : 10;
  console.log(
    'blocks | sweep / (L + 1) forwards | Taylor, recomputing | Taylor, keeping | peak MB beyond weights and inputs',
  );
  for (const layers of [4, 8, 16, 32]) {
    const shape = shapeOf(layers);
    const model = randomModel(shape, 'F16');
    const windows = windowsFor(shape, samples);
    const engine = await Engine.create(context, model);
    const removals = shape.layers.map((_, layer) => ({ layer, part: 'block' as const }));

    const [first] = await engine.removalSweep(windows, removals);
    const alone = await engine.score(shape.layers.slice(1), windows);
    expect(first! - alone.sumNll.reduce((a, b) => a + b, 0) / alone.tokens).toBeCloseTo(0, 4);
    const recomputed = await engine.taylor(windows);
    const kept = await engine.taylor(windows, { keepBytes: 2 ** 32 });
    expect(kept.layers[0]!.total / recomputed.layers[0]!.total).toBeCloseTo(1, 4);

    engine.memory().resetPeak();
    const resting = engine.memory().liveBytes;
    await engine.taylor(windows);
    const inputs = layers * windows.flat().length * shape.hidden * 4;
    const beyond = engine.memory().peakBytes - resting - inputs;

    const forwardMs = await time(() => engine.score(shape.layers, windows));
    const sweepMs = await time(() => engine.removalSweep(windows, removals));
    const taylorMs = await time(() => engine.taylor(windows));
    const keptMs = await time(() => engine.taylor(windows, { keepBytes: 2 ** 32 }));
    const cells = [
      layers,
      (sweepMs / ((layers + 1) * forwardMs)).toFixed(2),
      `${(taylorMs / forwardMs).toFixed(2)} forwards`,
      `${(keptMs / forwardMs).toFixed(2)} forwards`,
      (beyond / 1e6).toFixed(2),
    ];
    console.log(cells.join(' | '));
    engine.dispose();
  }
});
