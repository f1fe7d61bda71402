/**
 * @file Tells a call of ONNX Runtime that will never answer from one that is slow.
 *
 * Time is counted in beats of the thread, not by the clock: while the runtime computes on the thread, or the machine
 * sleeps, no beat comes, so that a run of minutes on the CPU counts one. The remaining beats are silence: the thread
 * was free, no byte of the weights was read, and the GPU was idle.
 */
import { LabError } from '../errors';

export interface Watch {
  /** Begins the error's sentence, e.g. 'Creating the session'. */
  readonly doing: string;
  /** Beats without a sign of life, about seconds each, until the call counts as lost. */
  readonly patience: number;
  /** Resolves when the GPU has done what it was given; absent where none takes part. */
  readonly gpuIdle?: (() => Promise<unknown>) | undefined;
}

const beatMs = 1000;
/** A GPU that works is alive; but one that works on the same thing for so many times the patience is not. */
const gpuPatience = 20;

/** Runs `job`, which calls `alive` at every sign of life. Rejects with 'no-answer' when none comes any more. */
export function watched<T>(job: (alive: () => void) => Promise<T>, watch: Watch): Promise<T> {
  let quiet = 0;
  let busy = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  let gpuWorks = false;
  const alive = (): void => {
    quiet = 0;
    busy = 0;
  };
  const askGpu = (): void => {
    if (watch.gpuIdle === undefined || gpuWorks) return;
    gpuWorks = true;
    const answered = (): void => {
      gpuWorks = false;
      busy = 0;
    };
    watch.gpuIdle().then(answered, answered); // a lost device is no work either
  };
  return new Promise<T>((resolve, reject) => {
    const beat = (): void => {
      if (over) return;
      if (gpuWorks) busy += 1;
      else quiet += 1;
      if (quiet > watch.patience || busy > gpuPatience * watch.patience) {
        over = true;
        reject(noAnswer(watch.doing, quiet > watch.patience ? quiet : busy));
        return;
      }
      askGpu();
      timer = setTimeout(beat, beatMs);
    };
    const done = (): void => {
      over = true;
      clearTimeout(timer);
    };
    timer = setTimeout(beat, beatMs);
    // Called within the promise: what it throws at once rejects too.
    new Promise<T>((start) => start(job(alive))).finally(done).then(resolve, reject);
  });
}

/** The error of a call that was given up, and of all that come behind it in the same worker. */
function noAnswer(doing: string, beats: number): LabError {
  return new LabError(
    'no-answer',
    `${doing}: ONNX Runtime does not respond: for ${beats} s it read nothing, computed nothing and sent nothing to the GPU.`,
    'Try again: the laboratory opens a new worker once no other task runs in this one. Only this call is lost; the model, its variants and all finished numbers are kept.',
  );
}
