/**
 * @file The GPU device of ONNX Runtime's sessions: the engine's own, or where that has what breaks them another one of
 * the same adapter.
 *
 * ONNX Runtime's grouped-query attention (1.30.0) is silently wrong on subgroups of 4 and of 8, so a device for it must
 * not have the feature there; the engine's kernels are right on any size and should keep it. Engine and sessions share
 * no buffer, so two devices cost no second copy of anything: some megabytes of the driver's, and the milliseconds
 * of opening it, once. One device for both remains the rule where nothing speaks against it: fewer things can be lost.
 */
import type { GpuContext } from '../../engine/gpu/device';

/** Opens a device of the same adapter that lacks a feature. */
type OpenWithout = (feature: GPUFeatureName) => Promise<GpuContext>;

export class OrtDevice {
  readonly #openWithout: OpenWithout;
  #own: Promise<GpuContext> | null = null;
  /** A session was wrong on a device with subgroups that should have been wide enough. */
  #distrusted = false;

  constructor(openWithout: OpenWithout) {
    this.#openWithout = openWithout;
  }

  /** The device for sessions beside an engine on `engine`. A lost one of its own is opened again. */
  async context(engine: GpuContext): Promise<GpuContext> {
    const harmful = hasSubgroups(engine) && (engine.narrowSubgroups || this.#distrusted);
    if (!harmful) return engine;
    this.#own ??= this.#open();
    return this.#own;
  }

  #open(): Promise<GpuContext> {
    const opening = this.#openWithout('subgroups');
    const forget = (): void => {
      if (this.#own === opening) this.#own = null; // the next call opens another
    };
    void opening.then((context) => context.lost.then(forget), forget);
    return opening;
  }

  /** To be told that a session on `context` was wrong: whether another device than it is worth a try. */
  distrust(context: GpuContext): boolean {
    if (!hasSubgroups(context)) return false;
    this.#distrusted = true;
    return true;
  }
}

const hasSubgroups = ({ info }: GpuContext): boolean => info.features.includes('subgroups');
