/** @file Runs with every file of unit tests: what a file puts in place of globals and timers does not reach the next one in its process. */
import { afterAll, afterEach, vi } from 'vitest';

interface FakeTimer {
  readonly type: string;
  readonly callAt: number;
  readonly interval?: number;
  readonly func: unknown;
}

// A test with fake timers that hangs: which timers wait, and for when, says why.
afterEach(({ task }) => {
  if (task.result?.state !== 'fail' || !vi.isFakeTimers()) return;
  const { clock } = globalThis.setTimeout as unknown as {
    clock?: { readonly now: number; readonly timers?: Readonly<Record<string, FakeTimer>> };
  };
  if (!clock) return;
  const waiting = Object.values(clock.timers ?? {}).map(
    ({ type, callAt, interval, func }) =>
      `  ${type} in ${callAt - clock.now} ms${interval === undefined ? '' : `, every ${interval} ms`}: ${String(func).slice(0, 200)}`,
  );
  console.error([`${waiting.length} fake timers wait:`, ...waiting.slice(0, 10)].join('\n'));
});

afterAll(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.useRealTimers();
});
