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
