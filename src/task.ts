/** @file What every long task takes: a way to cancel it and a way to hear how far it is. */

/** One progress report. `unit` is what `done` and `total` count: 'bytes', 'tokens', 'blocks', 'runs'. */
export interface Progress {
  stage: string;
  done: number;
  total: number;
  unit: string;
  /** What a text that is being written has come to, without its prompt. */
  text?: string;
}

/** Options of every method that takes time. */
export interface TaskOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** How long a thread may compute without hearing messages: a signal fires in one. */
const breathMs = 50;
let lastBreath = performance.now();

/**
 * Call between the steps of work that never waits for anything outside the thread, as ONNX Runtime's on the CPU: lets
 * messages in when none could come for a while. Look at the signal behind it.
 */
export async function breathe(): Promise<void> {
  if (performance.now() - lastBreath < breathMs) return;
  await new Promise((resolve) => setTimeout(resolve));
  lastBreath = performance.now();
}
