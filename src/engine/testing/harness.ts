/**
 * @file For tests in Node: a GPU through Dawn, a hardware adapter where there is one, else SwiftShader.
 *
 * Nothing that ships imports this file.
 */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { LabError } from '../../errors';
import type { StoredDtype } from '../../model/weights';
import { Buffers } from '../gpu/buffers';
import { CommandQueue } from '../gpu/commandQueue';
import { type GpuContext, openDevice } from '../gpu/device';
import type { Kernel } from '../gpu/kernel';
import type { TileName } from '../kernels/tile';

/** Where Debian's chromium keeps its Vulkan loader and its software driver. */
const loader = '/usr/lib/chromium/libvulkan.so.1';
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const keepLoaded = 0x1000; // RTLD_NODELETE

/** `npm run test:long` runs tests that `npm test` leaves out for their time: test.runIf(longTier). */
export const longTier = process.env['SECATEUR_TIER'] === 'long';

/**
 * Whether `npm test` compiles a matmul with this type of weights and this tile, which takes seconds: every type with a tile that
 * reads by four and with one that does not, every other tile and the soft caps with one type. What reads a weight and what
 * multiplies a tile are joined as text, and the tests of `linear` have all pairs.
 */
export function inEveryRun(dtype: StoredDtype, tile: TileName, softcap?: number): boolean {
  if (longTier || dtype === 'F16') return true;
  return softcap === undefined && (tile === '16x8' || tile === 'any');
}

let gpu: Promise<GPU> | null = null;
/** Kept: a device does not outlive the GPU that it came from. */
let compiler: GPU | null = null;

/** The `navigator.gpu` of the tests. Fails with the command that installs an adapter where there is none. */
export function testGpu(): Promise<GPU> {
  gpu ??= createGpu();
  return gpu;
}

const devices = new Map<string, GPUDevice>();

/**
 * A `navigator.gpu` that gives the same device again, as long as it lives: whoever asks for the same features on it, a
 * session of the lab or an engine, finds kernels compiled. Not for tests that lose their device.
 */
export async function sharingTestGpu(): Promise<GPU> {
  const real = await testGpu();
  const requestAdapter = async (options?: GPURequestAdapterOptions): Promise<unknown> => {
    const adapter = await real.requestAdapter(options);
    if (adapter === null) return null;
    const { info, features, limits } = adapter;
    const requestDevice = async (descriptor: GPUDeviceDescriptor): Promise<GPUDevice> => {
      const key = [...(descriptor.requiredFeatures ?? [])].join(' ');
      const known = devices.get(key);
      if (known !== undefined) return known;
      const device = await adapter.requestDevice(descriptor);
      devices.set(key, device);
      void device.lost.then(() => devices.delete(key));
      return device;
    };
    return { info, features, limits, requestDevice };
  };
  return { requestAdapter } as unknown as GPU;
}

/** Opens a device for a test. */
export async function openTestDevice(): Promise<GpuContext> {
  return openDevice(await testGpu());
}

/** Opens a device for a test of ONNX Runtime, which is wrong on narrow subgroups: all software adapters have such. */
export async function openOrtTestDevice(): Promise<GpuContext> {
  return openDevice(await testGpu(), { without: ['subgroups'] });
}

let shared: Promise<GpuContext> | null = null;

/** The device of every test that does not lose it: what one file has compiled, the next ones need not. */
export async function sharedTestDevice(): Promise<GpuContext> {
  shared ??= sharingTestGpu().then((from) => openDevice(from));
  const context = await shared;
  if (context.failure === null) return context;
  shared = null;
  return sharedTestDevice();
}

/**
 * A device with 'subgroups' and nothing else; null where the adapter has none.
 */
export async function openSubgroupDevice(): Promise<GpuContext | null> {
  gpu ??= createGpu();
  return openWith(await gpu, ['subgroups']);
}

/** A device that computes nothing but has every feature: WGSL that no adapter here can run is compiled on it. */
export async function openCompilingDevice(): Promise<GpuContext | null> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  compiler ??= create(['backend=null']);
  return openWith(compiler, ['subgroups', 'shader-f16']);
}

/** A device with just these features, or null where the adapter lacks one. */
async function openWith(from: GPU, features: GPUFeatureName[]): Promise<GpuContext | null> {
  const adapter = await from.requestAdapter();
  if (adapter === null || features.some((feature) => !adapter.features.has(feature))) return null;
  const device = await adapter.requestDevice({ requiredFeatures: features });
  const lost = device.lost.then(({ message }) => new LabError('device-lost', message, 'Run the test again.'));
  const name = `with ${features.join(', ')}`;
  const info = { adapter: name, identity: name, software: true, largeTiles: false, features, limits: {} };
  return { device, info, narrowSubgroups: true, lost, failure: null };
}

/** A tensor's contents, or a number of float32 to leave room for. */
export type TestInput = Float32Array | Uint32Array | Uint8Array | number;

/**
 * Launches one kernel on arrays and reads back what it wrote to `output`. Typed arrays are uploaded as they are
 * (padded to 16 bytes); a number makes a buffer of so many float32, filled with NaN: what is not written shows.
 */
export async function runKernel<B extends string, P extends string>(
  context: GpuContext,
  kernel: Kernel<B, P>,
  inputs: Readonly<Record<NoInfer<B>, TestInput>>,
  params: Readonly<Record<P, number>>,
  output: NoInfer<B>,
): Promise<Float32Array> {
  const buffers = new Buffers(context);
  const queue = new CommandQueue(context);
  try {
    const bound = {} as Record<B, GPUBuffer>;
    for (const name of Object.keys(kernel.buffers) as B[]) {
      const input: TestInput = inputs[name];
      const data = typeof input === 'number' ? new Float32Array(input).fill(Number.NaN) : input;
      const padded = new Uint8Array(Math.ceil(data.byteLength / 16) * 16);
      padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      bound[name] = await buffers.allocate(padded.byteLength, name);
      context.device.queue.writeBuffer(bound[name], 0, padded);
    }
    await queue.launch(kernel, bound, params, 0);
    const input: TestInput = inputs[output];
    const count = typeof input === 'number' ? input : input.length;
    return new Float32Array(await queue.read(bound[output], count * 4));
  } finally {
    queue.dispose();
    buffers.dispose();
  }
}

async function createGpu(): Promise<GPU> {
  keepVulkanLoader();
  pollLessOften();
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const hardware = create([]);
  if ((await hardware.requestAdapter()) !== null) return hardware;
  process.env['VK_ICD_FILENAMES'] = softwareDriver;
  const software = create([]);
  if (existsSync(softwareDriver) && (await software.requestAdapter()) !== null) return software;
  throw new Error(
    `No GPU adapter: expected a hardware one, or SwiftShader at ${softwareDriver}. Install it with: apt-get install --yes chromium`,
  );
}

/** Polls in a row that are not delayed: short work ends during them. */
const promptPolls = 30;

/**
 * While a promise of Dawn is pending, its binding asks in every turn of the event loop whether it is settled. That takes a
 * whole core from a driver which computes on the CPU. Here it asks once per millisecond when the first polls were in vain.
 */
function pollLessOften(): void {
  const { setImmediate: soon } = globalThis;
  let repeats = 0;
  let polling = false;
  const isPoll = (callback: unknown): callback is () => void =>
    typeof callback === 'function' && callback.name === '' && String(callback).includes('[native code]');
  const schedule = (callback: (...values: unknown[]) => void, ...values: unknown[]): unknown => {
    if (!isPoll(callback)) return soon(callback, ...values);
    // A poll that schedules the next one was in vain.
    repeats = polling ? repeats + 1 : 0;
    const poll = (): void => {
      polling = true;
      try {
        callback();
      } finally {
        polling = false;
      }
    };
    return repeats < promptPolls ? soon(poll) : setTimeout(poll, 1);
  };
  globalThis.setImmediate = Object.assign(schedule, soon) as typeof setImmediate;
}

/**
 * Dawn opens libvulkan.so.1 by name. Where the system has none, Chromium's copy serves, if it is in the process
 * already: dlopen finds a loaded library by its name. Node takes it for an addon and complains, after loading it.
 */
function keepVulkanLoader(): void {
  if (process.platform !== 'linux' || !existsSync(loader)) return;
  try {
    process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | keepLoaded);
  } catch (thrown) {
    if (!String(thrown).includes('did not self-register')) throw thrown;
  }
}
