/** @file What Runtimes does around a session: another device where the first gave wrong numbers. */
import { beforeEach, expect, test, vi } from 'vitest';
import { selfCheck } from '../benchmark/selfCheck';
import { type OpenOptions, openSession } from '../benchmark/session';
import type { GpuContext } from '../engine/device';
import { LabError } from '../errors';
import { randomModel, tinyShape } from '../onnx/testing/randomModel';
import type { Gpu } from './gpu';
import type { OpenModel } from './models';
import { Runtimes } from './runtimes';

vi.mock('../benchmark/session');
vi.mock('../benchmark/selfCheck', async (original) => ({
  ...(await original<typeof import('../benchmark/selfCheck')>()),
  selfCheck: vi.fn(),
}));
vi.mock('../benchmark/perplexity', () => ({ measurePerplexity: async () => ({ meanNll: 1, tokens: 2 }) }));

const { shape, weights } = randomModel(tinyShape([[4, 2, 16, 40]]));
const windows = { tokens: [[1, 2, 3]] };
const contextOf = (features: string[]) => ({ device: { features }, info: { features } }) as unknown as GpuContext;
const wide = contextOf(['subgroups']);
const plain = contextOf([]);
const wrong = new LabError('self-check', 'mean NLL is off', 'Use another runtime.');

/** A GPU whose sessions start on a device with subgroups. */
function runtimesOn(): { runtimes: Runtimes; distrust: ReturnType<typeof vi.fn<(context: GpuContext) => boolean>> } {
  let current = wide;
  const distrust = vi.fn((context: GpuContext) => {
    current = plain;
    return context === wide;
  });
  const engine = { score: async () => ({ sumNll: [40], tokens: 40 }) };
  const gpu = { ortContext: async () => current, distrust, engine: async () => ({ engine }) };
  const model = { info: { shape }, weights };
  return { runtimes: new Runtimes(model as unknown as OpenModel, gpu as unknown as Gpu), distrust };
}

const perplexity = (runtimes: Runtimes) =>
  runtimes.perplexity('ort-webgpu', shape, windows as unknown as Parameters<Runtimes['perplexity']>[2], {});

const opened: unknown[] = [];
beforeEach(() => {
  opened.length = 0;
  vi.mocked(selfCheck).mockReset();
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

test('other failures open nothing anew', async () => {
  const { runtimes, distrust } = runtimesOn();
  const full = new LabError('out-of-memory', 'full', 'Close tabs.');
  vi.mocked(selfCheck).mockRejectedValue(full);
  await expect(perplexity(runtimes)).rejects.toBe(full);
  expect(distrust).not.toHaveBeenCalled();
});
