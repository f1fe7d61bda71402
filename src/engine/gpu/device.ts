/** @file Opens the GPU with all its limits and the features that are safe, and reports its loss in one place. */
import { LabError, toLabError } from '../../errors';
import { answerOf, NoAnswer } from './answer';

export interface GpuInfo {
  /** Vendor, architecture and description as the browser tells them, e.g. 'google swiftshader'. */
  readonly adapter: string;
  /** Tells this adapter from others as far as the browser allows: measurements of the adapter are kept under this key. */
  readonly identity: string;
  /** The adapter runs on the CPU: its numbers are right, its times say nothing about a GPU. */
  readonly software: boolean;
  /**
   * Large tiles pay off, and the largest may run: true for SwiftShader. The 256 float32 sums of a tile of 16 × 16 exceed the
   * registers of a GPU's invocation. LLVM (lavapipe) compiles a shader with such a tile for 10 to 20 seconds, one of 4 × 8
   * for less than a second.
   */
  readonly largeTiles: boolean;
  readonly features: string[];
  readonly limits: Record<string, number>;
}

export interface GpuContext {
  readonly device: GPUDevice;
  readonly info: GpuInfo;
  /** Subgroups of this adapter may have fewer than 16 lanes, or as many as it does not tell: see `lab/worker/ortDevice.ts`. */
  readonly narrowSubgroups: boolean;
  /** Settles once, with the error to raise, when the device is gone. */
  readonly lost: Promise<LabError>;
  /** The loss, once it has happened. */
  readonly failure: LabError | null;
}

/** How long a failed GPU call waits for the message that its device is lost, which may come after the failure. */
const lossNewsMs = 200;

/** The error to raise for what a GPU call threw: the loss of the device if that is the cause. */
export async function gpuError(context: GpuContext, thrown: unknown): Promise<LabError> {
  if (thrown instanceof LabError) return thrown;
  const patience = new Promise<null>((resolve) => setTimeout(resolve, lossNewsMs, null));
  const loss = context.failure ?? (await Promise.race([context.lost, patience]));
  if (loss !== null) return loss;
  // A DOMException's name does not count: only a signal makes a task 'aborted'.
  return toLabError(new Error(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown }));
}

const wantedFeatures = ['shader-f16', 'subgroups', 'timestamp-query'];
const softwareNames = /swiftshader|llvmpipe|lavapipe|microsoft basic render/i;

/** ONNX Runtime's attention was seen to be wrong on subgroups of 4 and 8, and right from 32 on; 16 was not tried. */
const trustedSubgroup = 16;

/** Opens a device on the browser's preferred adapter, without some features if asked. Rejects with 'no-webgpu' when there is none, or none answers in time. */
export async function openDevice(
  gpu: GPU | undefined,
  { without = [] as readonly string[] } = {},
): Promise<GpuContext> {
  const adapter = await requestAdapter(gpu);
  const info = infoOf(adapter, without);
  const narrowSubgroups = !((adapter.info.subgroupMinSize ?? 0) >= trustedSubgroup);
  let device: GPUDevice;
  try {
    const request = adapter.requestDevice({
      requiredFeatures: info.features as GPUFeatureName[],
      requiredLimits: { ...info.limits },
    });
    device = await answerOf(request, `Opening a device on '${info.adapter}'`);
  } catch (thrown) {
    if (thrown instanceof NoAnswer) throw thrown;
    throw new LabError(
      'no-webgpu',
      `The adapter '${info.adapter}' refused a device: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      'Close other tabs that use the GPU, or restart the browser, and try again.',
      { cause: thrown },
    );
  }
  let failure: LabError | null = null;
  const lost = device.lost.then((loss) => {
    failure = deviceLost(info.adapter, loss);
    return failure;
  });
  return {
    device,
    info,
    narrowSubgroups,
    lost,
    get failure() {
      return failure;
    },
  };
}

async function requestAdapter(gpu: GPU | undefined): Promise<GPUAdapter> {
  if (gpu === undefined) {
    throw new LabError(
      'no-webgpu',
      'This browser has no WebGPU (navigator.gpu is absent).',
      'Use a recent Chrome or Edge, over https or localhost.',
    );
  }
  const request = gpu.requestAdapter({ powerPreference: 'high-performance' });
  const adapter = await answerOf(request, 'Looking for a GPU');
  if (adapter !== null) return adapter;
  throw new LabError(
    'no-webgpu',
    'The browser has WebGPU, but found no adapter.',
    'Turn on graphics acceleration in the browser settings, or start Chrome with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader.',
  );
}

/** What to ask of the adapter, and how to name it. */
function infoOf(adapter: GPUAdapter, without: readonly string[]): GpuInfo {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const name = [vendor, architecture].filter((part) => part !== '').join(' ');
  const software = isFallbackAdapter === true || softwareNames.test(`${name} ${description}`);
  const features = wantedFeatures.filter((feature) => adapter.features.has(feature) && !without.includes(feature));
  return {
    adapter: name || description || 'unknown adapter',
    identity: JSON.stringify([vendor, architecture, device, description]),
    software,
    largeTiles: /swiftshader/i.test(`${name} ${description}`),
    features,
    limits: limitsOf(adapter.limits),
  };
}

/** The limits as a plain record; the browser gives them as getters on a prototype. */
function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  const record: Record<string, number> = {};
  for (const name in limits) {
    const value: unknown = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') record[name] = value;
  }
  return record;
}

function deviceLost(adapter: string, loss: GPUDeviceLostInfo): LabError {
  return new LabError(
    'device-lost',
    `The GPU device of '${adapter}' was lost (${loss.reason}): ${loss.message || 'no reason given'}`,
    'Start the task again: the lab opens a new device, and all stored data is kept.',
  );
}
