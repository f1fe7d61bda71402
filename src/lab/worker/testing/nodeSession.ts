/** @file For tests: a session in Node, with or without a GPU, and checkpoints of the repository's fixtures in it. */
import 'fake-indexeddb/auto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, vi } from 'vitest';
import { provideOrt } from '../../../benchmark/ort';
import { nodeLibrary } from '../../../benchmark/testing/nodeLibrary';
import { sharingTestGpu, testGpu } from '../../../engine/testing/harness';
import type { EngineSettings } from '../../contract/settings';
import { Session } from '../session';

/** Files that PyTorch's numbers are in, beside a checkpoint. */
const numbers: readonly string[] = ['golden.json', 'cuts.json', 'training.json', 'distillation.json'];

/** Folder of a checkpoint of `tools/golden`. */
export const fixtureFolder = (name: string): string => `tools/golden/fixtures/${name}`;

/** PyTorch's numbers of a checkpoint. */
export function goldenOf<T>(name: string): T {
  return JSON.parse(readFileSync(`${fixtureFolder(name)}/golden.json`, 'utf8')) as T;
}

/** The files of a checkpoint, as a user chooses them. */
export function fixtureFiles(name: string): File[] {
  const folder = fixtureFolder(name);
  const names = readdirSync(folder).filter((file) => !numbers.includes(file));
  return names.map((file) => new File([readFileSync(`${folder}/${file}`)], file));
}

let shared: GPU | null = null;

/**
 * A GPU whose adapter gives the same device to all who ask, until it is lost: what one session has compiled, the next ones find. Not for
 * tests of the memory that a session takes.
 */
export async function sharedGpu(): Promise<GPU> {
  if (shared !== null) return shared;
  const gpu = await testGpu();
  let device: { readonly open: Promise<GPUDevice>; lost: boolean } | null = null;
  const request = (adapter: GPUAdapter, descriptor: GPUDeviceDescriptor | undefined): Promise<GPUDevice> => {
    if (device !== null && !device.lost) return device.open;
    const mine = { open: adapter.requestDevice(descriptor), lost: false };
    void mine.open
      .then(({ lost }) => lost)
      .then(() => {
        mine.lost = true;
      });
    device = mine;
    return mine.open;
  };
  const requestAdapter: GPU['requestAdapter'] = async (options) => {
    const adapter = await gpu.requestAdapter(options);
    return (
      adapter &&
      Object.assign(Object.create(adapter) as GPUAdapter, {
        ...{ info: adapter.info, features: adapter.features, limits: adapter.limits },
        requestDevice: (descriptor?: GPUDeviceDescriptor) => request(adapter, descriptor),
      })
    );
  };
  shared = Object.assign(Object.create(gpu) as GPU, { requestAdapter });
  return shared;
}

/**
 * For all tests of a file: what a worker finds around it. Call it before a `beforeAll` that opens sessions.
 * @param gpu false for a browser without WebGPU
 * @param losesDevice its sessions have devices of their own, which may be lost
 * @param ort ONNX Runtime's build for Node in place of the one for browsers
 */
export function inNode({ gpu = true, losesDevice = false, ort = true } = {}): void {
  beforeAll(async () => {
    vi.stubGlobal('navigator', gpu ? { gpu: await (losesDevice ? testGpu() : sharingTestGpu()) } : {});
    vi.stubGlobal('self', { location: { href: 'http://localhost/' } });
    if (ort) provideOrt(nodeLibrary);
  });
  afterAll(async () => {
    // The store is the process's: the next file must not find these models and their variants.
    const last = new Session(async () => undefined);
    for (const { id } of await last.stored({})) await last.forget({}, id);
    if (ort) provideOrt(null);
    vi.unstubAllGlobals();
  });
}

/** A new session with a checkpoint, calibrated on these sequences where they are given. */
export async function sessionWith(
  name: string,
  { tokenIds, settings }: { tokenIds?: number[][]; settings?: EngineSettings } = {},
): Promise<Session> {
  const session = new Session(async () => undefined);
  if (settings) await session.configure({}, settings);
  await session.load({}, fixtureFiles(name), {});
  if (tokenIds) await session.calibrate({}, { tokenIds });
  return session;
}
