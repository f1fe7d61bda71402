/** @file Runs with every file of unit tests: what a file puts in place of globals and timers does not reach the next one in its process. */
import { afterAll, vi } from 'vitest';

afterAll(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.useRealTimers();
});
