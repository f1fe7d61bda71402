/** @file What Runtimes does around a session: another device where the first gave wrong numbers. */
import { beforeEach, expect, test, vi } from 'vitest';
import { measurePerplexity } from '../../benchmark/perplexity';
import { selfCheck } from '../../benchmark/selfCheck';
import { type OpenOptions, openSession } from '../../benchmark/session';
import type { GpuContext } from '../../engine/gpu/device';
import { LabError } from '../../errors';
import { randomModel, tinyShape } from '../../onnx/testing/randomModel';
import type { Gpu } from './gpu';
import type { OpenModel } from './models';
import { Runtimes } from './runtimes';

vi.mock('../../benchmark/session');
vi.mock('../../benchmark/selfCheck', async (original) => ({
  ...(await original<typeof import('../../benchmark/selfCheck')>()),
  selfCheck: vi.fn(),
}));
vi.mock('../../benchmark/perplexity');

const { shape, weights } = randomModel(tinyShape([[4, 2, 16, 40]]));
const view = { id: 'base', shape, weights };
const sequences = { tokens: [[1, 2, 3]] };
const contextOf = (features: string[]) =>
  ({ device: { features }, info: { features, limits: {} } }) as unknown as GpuContext;
const measured = { meanNll: 1, tokens: 2, sequenceNll: [1.002], precision: 'f16' } as Awaited<
  ReturnType<typeof measurePerplexity>
>;
const wide = contextOf(['subgroups']);
const plain = contextOf([]);
const wrong = new LabError('self-check', 'mean NLL is off', 'Use another runtime.');

/** A GPU whose sessions start on a device with subgroups. */
function runtimesOn(features?: string[]): {
  runtimes: Runtimes;
  distrust: ReturnType<typeof vi.fn<(context: GpuContext) => boolean>>;
} {
  let current = features ? contextOf(features) : wide;
  const distrust = vi.fn((context: GpuContext) => {
    current = plain;
    return context === wide;
  });
  const engine = { score: async () => ({ sumNll: [40], tokens: 40 }) };
  const gpu = {
    ortContext: async () => current,
    distrust,
    engine: async () => ({ engine }),
    memoryBytes: null,
    device: async () => null,
  };
  const model = { info: { shape, dtype: 'F16' }, weights };
  return { runtimes: new Runtimes(model as unknown as OpenModel, gpu as unknown as Gpu), distrust };
}

const perplexity = (runtimes: Runtimes) =>
  runtimes.perplexity('ort-webgpu', view, sequences as unknown as Parameters<Runtimes['perplexity']>[2], {});

const opened: unknown[] = [];
beforeEach(() => {
  opened.length = 0;
  vi.mocked(selfCheck).mockReset();
  vi.mocked(openSession).mockClear();
  vi.mocked(measurePerplexity).mockResolvedValue(measured);
  vi.mocked(openSession).mockImplementation(async (options: OpenOptions) => {
    opened.push(options.device);
    const session = { shape, runtime: 'ort-webgpu', release: async () => undefined };
    return session as unknown as Awaited<ReturnType<typeof openSession>>;
  });
});

test('a session that is right stays where it is', async () => {
  const { runtimes, distrust } = runtimesOn();
  await perplexity(runtimes);
  await perplexity(runtimes);
  expect(opened).toEqual([wide.device]);
  expect(distrust).not.toHaveBeenCalled();
});

test('a session that is wrong is opened once more, on a device without subgroups', async () => {
  const { runtimes } = runtimesOn();
  vi.mocked(selfCheck).mockRejectedValueOnce(wrong);
  expect(await perplexity(runtimes)).toMatchObject({ meanNll: 1 });
  expect(opened).toEqual([wide.device, plain.device]);
});

test('one that is wrong there too is given up with what the check said', async () => {
  const { runtimes } = runtimesOn();
  vi.mocked(selfCheck).mockRejectedValue(wrong);
  await expect(perplexity(runtimes)).rejects.toBe(wrong);
  expect(opened).toEqual([wide.device, plain.device]);
});

test('f16 is checked on the text, against the engine, and refused with its departure; exact sessions stand beside', async () => {
  const { runtimes, distrust } = runtimesOn(['shader-f16', 'subgroups']);
  const text = { tokens: [Array.from({ length: 41 }, (_, i) => i), [1, 2]] };
  const asked = (sequences: object) =>
    runtimes.perplexity('ort-webgpu', view, sequences as Parameters<Runtimes['perplexity']>[2], {}, 'f16');
  // The engine says 1 nat a token, the session 1.002.
  await expect(asked(text)).rejects.toMatchObject({
    code: 'self-check',
    message: expect.stringMatching(/differs from float32 by 0\.0020 nats per token \(tolerance 0\.001/),
  });
  expect(distrust).not.toHaveBeenCalled();
  vi.mocked(measurePerplexity).mockResolvedValue({ ...measured, sequenceNll: [1.0009] });
  expect(await asked(text)).toMatchObject({ meanNll: 1, precision: 'f16' });
  await perplexity(runtimes);
  expect(vi.mocked(openSession).mock.calls.map(([{ precision }]) => precision)).toEqual(['f16', 'f16', 'f32']);
  const short = runtimesOn(['shader-f16']).runtimes;
  await expect(
    short.perplexity('ort-webgpu', view, sequences as unknown as Parameters<Runtimes['perplexity']>[2], {}, 'f16'),
  ).rejects.toMatchObject({ code: 'bad-argument' });
});

test('latency in f16 runs on WebGPU and is checked on the text that it is given', async () => {
  const { runtimes } = runtimesOn(['shader-f16']);
  const text = vi.fn(async () => [Array.from({ length: 41 }, (_, i) => i)]);
  await expect(runtimes.latency(view, { precision: 'f16' }, {}, text)).rejects.toMatchObject({ code: 'self-check' });
  expect(text).toHaveBeenCalledOnce();
  const { runtimes: without } = runtimesOn([]);
  await expect(without.latency(view, { precision: 'f16' }, {}, text)).rejects.toMatchObject({
    code: 'not-available',
  });
});

test('other failures open nothing anew', async () => {
  const { runtimes, distrust } = runtimesOn();
  const failure = new LabError('runtime', 'a bad node', 'Use another runtime.');
  vi.mocked(selfCheck).mockRejectedValue(failure);
  await expect(perplexity(runtimes)).rejects.toBe(failure);
  expect(distrust).not.toHaveBeenCalled();
});
