/** @file What `lab.tune`, `lab.tuning` and `lab.profile` do with the open engine. */

import { LabError } from '../../errors';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import type { ProfileRequest, ProfileResult, TuneRequest, TuningInfo } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { EngineHandle, Gpu } from './gpu';

/** Sequences of a profile unless told: enough rows for the kernels' usual sizes, few enough for a user to wait. */
const profileSamples = 4;

export async function tuneKernels(gpu: Gpu, request: Plain<TuneRequest>, task: TaskOptions): Promise<TuningInfo> {
  const { engine, label } = await requireEngine(gpu, task, 'tune');
  await gpu.tuning.tune(engine, { ...request, ...task });
  return gpu.tuning.info(engine, label);
}

export async function kernelsInUse(gpu: Gpu, task: TaskOptions): Promise<TuningInfo | null> {
  const handle = await gpu.engine(task);
  return handle && gpu.tuning.info(handle.engine, handle.label);
}

export async function profileKernels(
  gpu: Gpu,
  sequences: TokenSequences,
  { pass = 'forward', samples = profileSamples }: Plain<ProfileRequest>,
  task: TaskOptions,
): Promise<ProfileResult> {
  if (pass !== 'forward' && pass !== 'taylor') {
    throw new LabError('bad-argument', `pass: expected 'forward' or 'taylor', got '${pass}'.`, 'Use one of them.');
  }
  const { engine, label } = await requireEngine(gpu, task, 'profile');
  const chosen = sequences.slice(0, Math.max(1, samples));
  const profile = await gpu.tuning.undisturbed(() => engine.profile(pass, chosen, task), task.signal);
  return { ...profile, device: label };
}

async function requireEngine(gpu: Gpu, task: TaskOptions, method: string): Promise<EngineHandle> {
  const handle = await gpu.engine(task);
  if (handle) return handle;
  throw new LabError(
    'no-webgpu',
    `${method} needs a GPU, and this browser has none.`,
    'Open the page in a browser with WebGPU.',
  );
}
