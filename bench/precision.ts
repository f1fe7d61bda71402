/** @file ONNX Runtime's WebGPU provider on one model in each precision: what stays in 16 bits costs or saves so much time. */
import { type OrtSession, openSession } from '../src/benchmark/session';
import { dropShaders } from '../src/benchmark/shaderKeeper';
import { pretendBrowser, webLibrary } from '../src/benchmark/testing/webLibraryInNode';
import { Engine } from '../src/engine/engine';
import type { GpuContext } from '../src/engine/gpu/device';
import { randomModel } from '../src/engine/testing/testWeights';
import type { GraphPrecision } from '../src/onnx/graph';
import { assertNear, besideEngine, race, sequencesFor, shapeOf } from './harness';

const precisions = ['f32', 'f16-weights', 'f16'] as const;
/** Share of the largest logit: what is timed must be right first. */
const tolerances: Readonly<Record<GraphPrecision, number>> = { f32: 1e-3, 'f16-weights': 1e-3, f16: 3e-2 };

/** One generation: a prompt, then single steps on the cache. */
async function generate(session: OrtSession, prompt: readonly number[], steps: number): Promise<void> {
  const cache = session.openCache(1, prompt.length + steps);
  await session.forward({ tokens: prompt, batch: 1, rows: [prompt.length - 1], cache });
  for (let step = 0; step < steps; step++) await session.forward({ tokens: [step + 1], batch: 1, rows: [0], cache });
  cache.dispose();
}

export async function benchPrecision(context: GpuContext): Promise<void> {
  const { software, features } = context.info;
  if (!features.includes('shader-f16'))
    return console.log('This adapter lacks shader-f16: there is one precision only.');
  const shape = shapeOf(context, software ? 4 : 16);
  const model = randomModel(shape, 'F16');
  const [sequence] = sequencesFor(shape, 1);
  const engine = await Engine.create(context, model);
  const expected = await engine.logits(shape.layers, sequence!, 'last');
  const largest = expected.reduce((top, logit) => Math.max(top, Math.abs(logit)), 0);
  engine.dispose();
  const { device } = await besideEngine(context);
  const restore = pretendBrowser();
  const sessions = new Map<GraphPrecision, OrtSession>();
  for (const precision of precisions) {
    const session = await openSession({ ...model, runtime: 'ort-webgpu', device, library: webLibrary, precision });
    sessions.set(precision, session);
    const got = await session.forward({ tokens: sequence!, batch: 1, rows: [sequence!.length - 1] });
    expected.forEach((logit, id) => {
      assertNear(`${precision}, logit ${id}`, got[id]!, logit, tolerances[precision] * largest);
    });
    const { weightBytes, widenedBytes } = session.graph.report;
    console.log(
      `${precision}: ${(weightBytes / 2 ** 20).toFixed(1)} MiB of weights, ${widenedBytes} bytes widened at a time`,
    );
  }
  const rivalsOf = (work: (session: OrtSession) => Promise<unknown>) => ({
    f32: () => work(sessions.get('f32')!),
    'f16-weights': () => work(sessions.get('f16-weights')!),
    f16: () => work(sessions.get('f16')!),
  });
  const steps = software ? 8 : 64;
  for (const [name, work] of [
    [`prefill of ${sequence!.length} tokens`, (session: OrtSession) => generate(session, sequence!, 0)],
    [`prompt of 12 and ${steps} steps`, (session: OrtSession) => generate(session, sequence!.slice(0, 12), steps)],
  ] as const) {
    const times = await race(rivalsOf(work), software ? 5 : 10);
    const ratio = (of: 'f16-weights' | 'f16') => `${of} takes ${times.text(of, 'f32')} of f32's time`;
    console.log(`${name}: f32 ${times.mean('f32').toFixed(1)} ms; ${ratio('f16-weights')}; ${ratio('f16')}`);
  }
  for (const session of sessions.values()) await session.release();
  await dropShaders(device);
  restore();
}
