/** @file Is this device connected at all, and when is it again? */
import { abortedError } from '../errors';

export interface Line {
  /** False only where it surely is not. */
  connected(): boolean;
  /** Resolves when it is connected again; rejects with 'aborted' when the signal fires. */
  back(signal: AbortSignal | undefined): Promise<void>;
}

/** Browsers know that there is no connection, not that there is one. */
export const browserLine: Line = {
  connected() {
    const scope: { navigator?: { onLine?: boolean } } = globalThis;
    return scope.navigator?.onLine !== false;
  },
  back(signal) {
    const scope: Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>> = globalThis;
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        scope.removeEventListener?.('online', come);
        signal?.removeEventListener('abort', stop);
        settle();
      };
      const come = (): void => end(resolve);
      const stop = (): void => end(() => reject(abortedError('The load')));
      if (signal?.aborted) return stop();
      scope.addEventListener?.('online', come);
      signal?.addEventListener('abort', stop, { once: true });
      // The device may be online again before a listener was added.
      if (browserLine.connected()) come();
    });
  },
};
