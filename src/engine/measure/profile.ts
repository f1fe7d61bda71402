/** @file Where the time of a pass over the model goes, kernel by kernel. */
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import { type KernelTime, LaunchClock, type Timing } from '../gpu/launchClock';
import type { EngineParts } from '../pass/runtime';
import { score } from './score';
import { taylor } from './taylor';

/** A forward pass with its losses, or a Taylor pass: forward and backward with the saliences of all weights. */
export type ProfiledPass = 'forward' | 'taylor';

export interface ProfiledKernel extends KernelTime {
  /** Of the time of all kernels, 0…1. */
  readonly share: number;
  /** Of the counted operations of all kernels, 0…1; null where the kernel does not count its own. */
  readonly flopShare: number | null;
}

export interface Profile {
  readonly pass: ProfiledPass | 'training';
  /** The dearest first. */
  readonly kernels: readonly ProfiledKernel[];
  /** Of all kernels together. */
  readonly milliseconds: number;
  readonly tokens: number;
  /** 'wall clock': one submission per launch, so that short kernels seem dearer than they are. */
  readonly timing: Timing;
}

export interface ProfileOptions extends TaskOptions {
  /** By the wall clock even where there are timestamps. */
  readonly wallClock?: boolean | undefined;
}

/** Runs the pass with every launch timed for itself, once before without, so that nothing is compiled meanwhile. */
export async function profile(
  parts: EngineParts,
  pass: ProfiledPass,
  sequences: TokenSequences,
  options: ProfileOptions,
): Promise<Profile> {
  const { shape } = parts;
  const run = async (on: TokenSequences, task: TaskOptions): Promise<unknown> =>
    pass === 'forward' ? score(parts, shape.layers, on, task) : taylor(parts, on, task);
  await run(
    sequences.slice(0, 1).map((sequence) => sequence.slice(0, 8)),
    {},
  );
  return timedLaunches(parts, pass, sequences, options, () => run(sequences, options));
}

/** Runs the work with every launch timed for itself; a second time, by the wall clock, where the timestamps cannot be. */
export async function timedLaunches(
  parts: Pick<EngineParts, 'context' | 'queue'>,
  pass: Profile['pass'],
  sequences: TokenSequences,
  options: ProfileOptions,
  work: () => Promise<unknown>,
): Promise<Profile> {
  const { context, queue } = parts;
  const clock = new LaunchClock(context, { eachLaunch: true, wallClock: options.wallClock === true });
  try {
    await queue.timed(clock, work);
    if (clock.timing === 'timestamps' && !clock.plausible) {
      return await timedLaunches(parts, pass, sequences, { ...options, wallClock: true }, work);
    }
    return { pass, ...sharesOf(clock.times()), tokens: sequences.flat().length, timing: clock.timing };
  } finally {
    clock.dispose();
  }
}

/** Times with their shares. */
export function sharesOf(times: readonly KernelTime[]): Pick<Profile, 'kernels' | 'milliseconds'> {
  const milliseconds = times.reduce((sum, time) => sum + time.milliseconds, 0);
  const flops = times.reduce((sum, time) => sum + (time.flops ?? 0), 0);
  const kernels = times.map((time) => ({
    ...time,
    share: milliseconds > 0 ? time.milliseconds / milliseconds : 0,
    flopShare: time.flops === null || flops === 0 ? null : time.flops / flops,
  }));
  return { kernels, milliseconds };
}
