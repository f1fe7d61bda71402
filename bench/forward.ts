/** @file The engine's forward pass against ONNX Runtime's WebGPU provider: same weights, tokens, adapter and process. */
import { measurePerplexity } from '../src/benchmark/perplexity';
import { openSession } from '../src/benchmark/session';
import { dropShaders } from '../src/benchmark/shaderKeeper';
import { pretendBrowser, webLibrary } from '../src/benchmark/testing/webLibraryInNode';
import { Engine } from '../src/engine/engine';
import type { GpuContext } from '../src/engine/gpu/device';
import { randomModel } from '../src/engine/testing/testWeights';
import { modelParameters } from '../src/model/count';
import { assertNear, besideEngine, race, sequencesFor, shapeOf, verdict } from './harness';

const goal = { atLeast: 3 };
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export async function benchForward(context: GpuContext): Promise<void> {
  const { software } = context.info;
  const shape = shapeOf(context, software ? 12 : 4);
  const model = randomModel(shape, 'F16');
  const sequences = sequencesFor(shape, software ? 2 : 8);
  const [one] = sequences;
  const engine = await Engine.create(context, model);
  if (!software) await engine.tune();
  const restore = pretendBrowser();
  const { device } = await besideEngine(context);
  const session = await openSession({ ...model, runtime: 'ort-webgpu', device, library: webLibrary });
  console.log(
    `${shape.layers.length} blocks × ${shape.hidden}, ${(modelParameters(shape) / 1e6).toFixed(1)} M parameters in F16; ` +
      `kernels ${software ? 'by the static choice' : 'by measurement'}`,
  );

  const input = { tokens: one!, batch: 1, rows: [one!.length - 1] };
  const ours = {
    logits: () => engine.logits(shape.layers, one!, 'last'),
    score: () => engine.score(shape.layers, sequences),
  };
  const theirs = { logits: () => session.forward(input), score: () => measurePerplexity(session, sequences) };
  const [expected, got] = [await theirs.logits(), await ours.logits()];
  const largest = Math.max(...expected.map(Math.abs));
  expected.forEach((logit, id) => {
    assertNear(`logit ${id}`, got[id]!, logit, 1e-3 * largest);
  });
  const losses = (await ours.score()).sumNll.map((sum, sequence) => sum / (sequences[sequence]!.length - 1));
  assertNear('mean loss', mean(losses), (await theirs.score()).meanNll, 1e-3);

  for (const [name, what, tokens] of [
    ['logits', 'one window, last row of logits', one!.length],
    ['score', `${sequences.length} windows, loss of every token`, sequences.flat().length],
  ] as const) {
    const times = await race({ ours: ours[name], theirs: theirs[name] }, 5);
    const rate = (rival: 'ours' | 'theirs') => ((1000 * tokens) / times.mean(rival)).toFixed(0);
    console.log(
      `${what}: engine ${rate('ours')} tokens/s, ONNX Runtime WebGPU ${rate('theirs')} tokens/s, ` +
        `ratio ${times.text('theirs', 'ours')}: ${verdict(times.ratio('theirs', 'ours'), goal)}`,
    );
  }
  await session.release();
  await dropShaders(device);
  restore();
  engine.dispose();
}
