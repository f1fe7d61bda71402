/**
 * @file Checks that the worker's thread answers while a call waits for it. A run of ONNX Runtime on the CPU blocks the thread until the
 * run ends, and a run that hangs blocks it forever. The page cannot tell the two apart: it reports the silence, and the user
 * decides.
 */

export interface HeartbeatOptions {
  /** Resolves when the worker's thread answers; null where there is no worker. */
  readonly ping: () => Promise<unknown> | null;
  /** Whether a call waits for the worker. */
  readonly waiting: () => boolean;
  /** Called when the thread has been silent for long, and when it answers again. */
  readonly onSilence: (silent: boolean) => void;
}

const beatMs = 15_000;
/** Beats without an answer before the silence is reported: two minutes. */
const patience = 8;

/** Checks the worker from now on. */
export function watchHeartbeat({ ping, waiting, onSilence }: HeartbeatOptions): void {
  let asked: Promise<unknown> | null = null;
  let unanswered = 0;
  setInterval(() => {
    if (asked !== null) {
      unanswered += 1;
      if (unanswered === patience) onSilence(true);
      return;
    }
    if (!waiting()) return;
    const mine = ping();
    if (mine === null) return;
    asked = mine;
    const over = (): void => {
      asked = null;
      if (unanswered >= patience) onSilence(false);
      unanswered = 0;
    };
    mine.then(over, over); // a worker that ended is silent no more
  }, beatMs);
}
