/** @file Before a number of one runtime is shown, another one must agree with it. */
import { LabError } from '../errors';
import type { TaskOptions } from '../task';
import { measurePerplexity, type TokenWindow } from './perplexity';
import type { OrtSession } from './session';

/** Shorter runs miss the known fault: attention on a device with subgroups of 4 is wrong from 32 rows on. */
export const selfCheckRows = 33;

const defaultTolerance = 1e-3;

/** Throws unless every window's mean NLL agrees with the reference to `tolerance` nats. */
export function checkNll(
  measured: readonly number[],
  reference: readonly number[],
  { runtime, tolerance = defaultTolerance }: { runtime: string; tolerance?: number | undefined },
): void {
  if (measured.length === reference.length) {
    const wrong = measured.findIndex((nll, i) => !(Math.abs(nll - reference[i]!) <= tolerance));
    if (wrong < 0) return;
    throw new LabError(
      'self-check',
      `${runtime}: mean NLL of window ${wrong} is ${measured[wrong]}, the reference says ${reference[wrong]} (tolerance ${tolerance}).`,
      'Its numbers are withheld: use another runtime, or update the browser and the GPU driver.',
    );
  }
  throw new LabError(
    'internal',
    `Self-check: ${measured.length} windows against ${reference.length} of the reference.`,
    'Please report this bug.',
  );
}

/** Runs `windows` (at least one of them longer than 32 tokens) and compares with another runtime's mean NLL of each. */
export async function selfCheck(
  session: OrtSession,
  windows: readonly TokenWindow[],
  reference: readonly number[],
  { tolerance, ...task }: TaskOptions & { tolerance?: number | undefined } = {},
): Promise<void> {
  if (!windows.some((window) => window.length >= selfCheckRows)) {
    throw new LabError(
      'bad-argument',
      `Self-check: expected a window of at least ${selfCheckRows} tokens, got none.`,
      'Check with longer windows.',
    );
  }
  const { windowNll } = await measurePerplexity(session, windows, task);
  checkNll(windowNll, reference, { runtime: session.device.runtime, tolerance });
}
