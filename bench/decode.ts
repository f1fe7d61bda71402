/** @file One more token of a text: the engine with its cache against ONNX Runtime's WebGPU provider, and against a pass over the whole text. */
import { openSession } from '../src/benchmark/session';
import { dropShaders } from '../src/benchmark/shaderKeeper';
import { pretendBrowser, webLibrary } from '../src/benchmark/testing/webLibraryInNode';
import { Engine } from '../src/engine/engine';
import type { GpuContext } from '../src/engine/gpu/device';
import { randomModel } from '../src/engine/testing/testWeights';
import { assertNear, besideEngine, race, sequencesFor, shapeOf, verdict } from './harness';

const goal = { atLeast: 1 };
const prompt = 64;
const rounds = 5;

export async function benchDecode(context: GpuContext): Promise<void> {
  const shape = shapeOf(context, context.info.software ? 12 : 4);
  const model = randomModel(shape, 'F16');
  const [text] = sequencesFor(shape, 1, 2 * prompt);
  const engine = await Engine.create(context, model);
  const restore = pretendBrowser();
  const { device } = await besideEngine(context);
  const session = await openSession({ ...model, runtime: 'ort-webgpu', device, library: webLibrary });
  const cache = session.openCache(1, text!.length);
  const decoder = engine.decoder(shape.layers, { positions: text!.length });
  const feed = (tokens: readonly number[]) => session.forward({ tokens, batch: 1, rows: [tokens.length - 1], cache });
  const beginning = text!.slice(0, prompt);
  const [expected, got] = [await feed(beginning), await decoder.logits(beginning)];
  const next = text!.slice(prompt, prompt + 1);
  const [expectedNext, gotNext] = [await feed(next), await decoder.logits(next)];
  for (const [ours, theirs] of [
    [got, expected],
    [gotNext, expectedNext],
  ] as const) {
    const largest = Math.max(...theirs.map(Math.abs));
    for (const [id, logit] of theirs.entries()) assertNear(`logit ${id}`, ours[id]!, logit, 1e-3 * largest);
  }

  const whole = text!.slice(0, prompt + 2);
  await engine.logits(shape.layers, whole, 'last');
  const rivals = {
    ours: () => decoder.logits([1]),
    theirs: () => feed([1]),
    whole: () => engine.logits(shape.layers, whole, 'last'),
  };
  const times = await race(rivals, rounds);
  console.log(
    `a token behind ${prompt}: engine ${times.mean('ours').toFixed(1)} ms, ONNX Runtime WebGPU ${times.mean('theirs').toFixed(1)} ms, ` +
      `ratio ${times.text('theirs', 'ours')}: ${verdict(times.ratio('theirs', 'ours'), goal)}; ` +
      `a pass over all ${whole.length} tokens takes ${times.text('whole', 'ours')} times as long`,
  );
  decoder.close();
  cache.dispose();
  await session.release();
  await dropShaders(device);
  restore();
  engine.dispose();
}
