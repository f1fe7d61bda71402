/** @file Writes the session of the open model shortly after it changed, so that it survives a reload. */
import type { SavedSessions } from '../saved';
import type { LabStore } from '../store';

export interface Saving {
  /** Writes the session once the page has been quiet for a moment. A refusal costs only the memory of it. */
  soon(): void;
  /** Writes waiting changes now: before another model opens. */
  now(): Promise<void>;
}

const quietMs = 300;

export function createSaving({ getState }: LabStore, sessions: SavedSessions): Saving {
  let waiting: ReturnType<typeof setTimeout> | undefined;

  async function write(): Promise<void> {
    clearTimeout(waiting);
    waiting = undefined;
    try {
      await sessions.save(getState());
    } catch (thrown) {
      console.warn('The session could not be saved.', thrown);
    }
  }

  return {
    soon() {
      clearTimeout(waiting);
      waiting = setTimeout(() => void write(), quietMs);
    },
    now: () => (waiting === undefined ? Promise.resolve() : write()),
  };
}
