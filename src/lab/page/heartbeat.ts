/**
 * @file Whether the worker's thread hears at all while somebody waits for it. A run of ONNX Runtime on the CPU holds
 * the thread to its end, and a run that hangs holds it for ever: from outside both look alike, so that this only says
 * it, and a user decides.
 */

export interface HeartbeatOptions {
  /** Resolves when the worker's thread hears; null where there is no worker. */
  readonly ping: () => Promise<unknown> | null;
  /** Somebody waits for an answer of the worker. */
  readonly waiting: () => boolean;
  /** Hears that the thread has been silent for long, and that it is no more. */
  readonly onSilence: (silent: boolean) => void;
}

const beatMs = 15_000;
/** Beats without an answer, two minutes, before a user hears of it. */
const patience = 8;

/** Looks at the worker for good. */
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
