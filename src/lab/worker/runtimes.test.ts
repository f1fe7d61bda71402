/** @file What Runtimes does around a session: another device where the first gave wrong numbers. */
import { expect, test, vi } from 'vitest';
import type { Forward, OpenOptions, OrtSession } from '../../benchmark/session';
import type { GpuContext } from '../../engine/gpu/device';
import { LabError } from '../../errors';
import { randomModel, tinyShape } from '../../onnx/testing/randomModel';
import type { Gpu } from './gpu';
import type { OpenModel } from './models';
import { Runtimes } from './runtimes';

const { shape, weights } = randomModel(tinyShape([[4, 2, 16, 40]]));
const { vocab } = shape;
const view = { id: 'base', shape, weights };
const sequences = { tokens: [[1, 2, 3]] };
const contextOf = (features: string[]) =>
  ({ device: { features }, info: { features, limits: {} } }) as unknown as GpuContext;
const wide = contextOf(['subgroups']);
const plain = contextOf([]);

/** Every token is as likely as every other one, which is what the engine says too. */
const right: Forward = async ({ rows }) => new Float32Array(rows.length * vocab);
/** The tokens behind the first one are all the less likely. */
const wrong: Forward = async ({ rows }) =>
  new Float32Array(rows.length * vocab).map((_, i) => (i % vocab === 0 ? 10 : 0));
const meanNll = expect.closeTo(Math.log(vocab), 6);

/**
 * A GPU whose sessions start on a device with subgroups.
 * @param forwardOn what sessions compute on a device
 * @param says what the engine's nats per token are beside those of `right`; may change
 */
function runtimesOn(features?: string[], forwardOn = (_device?: GPUDevice): Forward => right, says = { less: 0 }) {
  let current = features ? contextOf(features) : wide;
  const distrust = vi.fn((context: GpuContext) => {
    current = plain;
    return context === wide;
  });
  const score = async (_layers: unknown, scored: readonly (readonly number[])[]) => {
    const counts = scored.map(({ length }) => length - 1);
    const sumNll = counts.map((count) => count * (Math.log(vocab) - says.less));
    return { sumNll, tokens: counts.reduce((a, b) => a + b) };
  };
  const gpu = {
    ortContext: async () => current,
    distrust,
    engine: async () => ({ engine: { score } }),
    memoryBytes: null,
    device: async () => null,
  };
  /** What sessions were opened with, in order. */
  const opened: OpenOptions[] = [];
  const open = async (options: OpenOptions): Promise<OrtSession> => {
    opened.push(options);
    const session = {
      ...{ shape, runtime: options.runtime, device: { runtime: 'pretended' }, forward: forwardOn(options.device) },
      ...{ graph: { report: { precision: options.precision } }, release: async () => undefined },
    };
    return session as unknown as OrtSession;
  };
  const model = { info: { shape, dtype: 'F16' }, weights };
  const runtimes = new Runtimes(model as unknown as OpenModel, gpu as unknown as Gpu, open);
  return { runtimes, distrust, opened, devices: () => opened.map(({ device }) => device) };
}

const perplexity = (runtimes: Runtimes) =>
  runtimes.perplexity('ort-webgpu', view, sequences as unknown as Parameters<Runtimes['perplexity']>[2], {});

test('a session that is right stays where it is', async () => {
  const { runtimes, distrust, devices } = runtimesOn();
  await perplexity(runtimes);
  await perplexity(runtimes);
  expect(devices()).toEqual([wide.device]);
  expect(distrust).not.toHaveBeenCalled();
});

test('a session that is wrong is opened once more, on a device without subgroups', async () => {
  const { runtimes, devices } = runtimesOn(undefined, (device) => (device === wide.device ? wrong : right));
  expect(await perplexity(runtimes)).toMatchObject({ meanNll });
  expect(devices()).toEqual([wide.device, plain.device]);
});

test('one that is wrong there too is given up with what the check said', async () => {
  const { runtimes, devices } = runtimesOn(undefined, () => wrong);
  await expect(perplexity(runtimes)).rejects.toMatchObject({
    code: 'self-check',
    message: expect.stringContaining('mean NLL of sequence 0'),
  });
  expect(devices()).toEqual([wide.device, plain.device]);
});

test('f16 is checked on the text, against the engine, and refused with its departure; exact sessions stand beside', async () => {
  // The sessions' likelihood is 0.002 nats a token beside the engine's.
  const engine = { less: 0.002 };
  const { runtimes, distrust, opened } = runtimesOn(['shader-f16', 'subgroups'], undefined, engine);
  const text = { tokens: [Array.from({ length: 41 }, (_, i) => i), [1, 2]] };
  const asked = (sequences: object) =>
    runtimes.perplexity('ort-webgpu', view, sequences as Parameters<Runtimes['perplexity']>[2], {}, 'f16');
  await expect(asked(text)).rejects.toMatchObject({
    code: 'self-check',
    message: expect.stringMatching(/differs from float32 by 0\.0020 nats per token \(tolerance 0\.001/),
  });
  expect(distrust).not.toHaveBeenCalled();
  engine.less = 0.0009;
  expect(await asked(text)).toMatchObject({ meanNll, precision: 'f16' });
  await perplexity(runtimes);
  expect(opened.map(({ precision }) => precision)).toEqual(['f16', 'f16', 'f32']);
  const short = runtimesOn(['shader-f16']).runtimes;
  await expect(
    short.perplexity('ort-webgpu', view, sequences as unknown as Parameters<Runtimes['perplexity']>[2], {}, 'f16'),
  ).rejects.toMatchObject({ code: 'bad-argument' });
});

test('latency in f16 runs on WebGPU and is checked on the text that it is given', async () => {
  const { runtimes } = runtimesOn(['shader-f16'], undefined, { less: 0.002 });
  const text = vi.fn(async () => [Array.from({ length: 41 }, (_, i) => i)]);
  await expect(runtimes.latency(view, { precision: 'f16' }, {}, text)).rejects.toMatchObject({ code: 'self-check' });
  expect(text).toHaveBeenCalledOnce();
  const { runtimes: without } = runtimesOn([]);
  await expect(without.latency(view, { precision: 'f16' }, {}, text)).rejects.toMatchObject({
    code: 'not-available',
  });
});

test('other failures open nothing anew', async () => {
  const failure = new LabError('runtime', 'a bad node', 'Use another runtime.');
  const { runtimes, distrust, devices } = runtimesOn(undefined, () => () => Promise.reject(failure));
  await expect(perplexity(runtimes)).rejects.toBe(failure);
  expect(devices()).toEqual([wide.device]);
  expect(distrust).not.toHaveBeenCalled();
});
