/** @file What openDevice asks of an adapter, with adapters that only pretend. */
import { afterEach, expect, test, vi } from 'vitest';
import { deferred } from '../../deferred';
import { answerMs, type NoAnswer } from './answer';
import { openDevice } from './device';

interface Pretended {
  vendor?: string;
  architecture?: string;
  description?: string;
  subgroupMinSize?: number;
  isFallbackAdapter?: boolean;
  features?: string[];
}

/** A GPU whose adapter notes what was requested. */
function pretend(info: Pretended): { gpu: GPU; requested: GPUDeviceDescriptor[] } {
  const requested: GPUDeviceDescriptor[] = [];
  const adapter = {
    info: { vendor: '', architecture: '', description: '', device: '', ...info },
    features: new Set(info.features ?? []),
    limits: { maxBufferSize: 1000, maxStorageBufferBindingSize: 500 },
    requestDevice: async (descriptor: GPUDeviceDescriptor) => {
      requested.push(descriptor);
      return { lost: new Promise(() => undefined) };
    },
  };
  return { gpu: { requestAdapter: async () => adapter } as unknown as GPU, requested };
}

test('without navigator.gpu or without an adapter the error says what to do', async () => {
  await expect(openDevice(undefined)).rejects.toMatchObject({
    code: 'no-webgpu',
    remedy: expect.stringContaining('Chrome'),
  });
  const none = { requestAdapter: async () => null } as unknown as GPU;
  await expect(openDevice(none)).rejects.toMatchObject({ code: 'no-webgpu' });
});

test('all limits are requested, and of the features only those that we use', async () => {
  const { gpu, requested } = pretend({
    vendor: 'apple',
    architecture: 'metal-3',
    subgroupMinSize: 32,
    features: ['shader-f16', 'subgroups', 'timestamp-query', 'texture-compression-bc'],
  });
  const { info } = await openDevice(gpu);
  expect(requested).toEqual([
    {
      requiredFeatures: ['shader-f16', 'subgroups', 'timestamp-query'],
      requiredLimits: { maxBufferSize: 1000, maxStorageBufferBindingSize: 500 },
    },
  ]);
  expect(info).toMatchObject({ adapter: 'apple metal-3', software: false });
});

test.each<Pretended>([
  { vendor: 'google', architecture: 'swiftshader' },
  { vendor: 'mesa', architecture: 'lavapipe' },
  { vendor: 'mesa', description: 'llvmpipe (LLVM 15)' },
  { vendor: 'microsoft', description: 'Microsoft Basic Render Driver' },
  { vendor: 'someone', isFallbackAdapter: true },
])('%o runs on the CPU', async (info) => {
  expect((await openDevice(pretend(info).gpu)).info.software).toBe(true);
});

test.each<[Pretended, boolean]>([
  [{ subgroupMinSize: 4 }, true],
  [{ subgroupMinSize: 8 }, true],
  [{}, true],
  [{ subgroupMinSize: 16 }, false],
  [{ subgroupMinSize: 32 }, false],
])('subgroups of %o are asked for unless they are not wanted, and are narrow: %s', async (info, narrow) => {
  const { gpu } = pretend({ vendor: 'x', features: ['subgroups', 'timestamp-query'], ...info });
  const context = await openDevice(gpu);
  expect(context.info.features).toEqual(['subgroups', 'timestamp-query']);
  expect(context.narrowSubgroups).toBe(narrow);
  expect((await openDevice(gpu, { without: ['subgroups'] })).info.features).toEqual(['timestamp-query']);
});

test('an adapter that refuses a device is named', async () => {
  const { gpu } = pretend({ vendor: 'acme' });
  const adapter = (await gpu.requestAdapter())!;
  adapter.requestDevice = async () => {
    throw new Error('too many devices');
  };
  await expect(openDevice(gpu)).rejects.toMatchObject({
    code: 'no-webgpu',
    message: "The adapter 'acme' refused a device: too many devices",
  });
});

afterEach(() => void vi.useRealTimers());

test.each(['requestAdapter', 'requestDevice'])(
  'a %s that never answers is no GPU; a late answer can be heard',
  async (silent) => {
    vi.useFakeTimers();
    const { gpu } = pretend({ vendor: 'x' });
    const answer = deferred<unknown>();
    const asked = silent === 'requestAdapter' ? gpu : ((await gpu.requestAdapter()) as object);
    Object.assign(asked, { [silent]: () => answer.promise });
    const opening = openDevice(gpu).catch((thrown: unknown) => thrown);
    await vi.advanceTimersByTimeAsync(answerMs);
    const failure = await opening;
    expect(failure).toMatchObject({
      code: 'no-webgpu',
      message: expect.stringContaining('did not respond within 15 s'),
    });
    answer.resolve({});
    await (failure as NoAnswer).answered;
  },
);
