/** @file The measurements that an edit of the plan starts: known numbers show at once; others are measured when the clicks have settled. */
import type { Context } from './context';
import type { LiveSteps } from './live';
import type { WritingSteps } from './writing';

export interface Following {
  /** The plan was edited. */
  follow(): void;
  /** Another model opens: nothing of the last edit is measured any more. */
  stop(): void;
}

/** A click waits this long for the next one before the engine starts. */
const settleMs = 120;

export function createFollowing({ tasks, saving }: Context, live: LiveSteps, writing: WritingSteps): Following {
  let settling: ReturnType<typeof setTimeout> | undefined;

  return {
    follow() {
      saving.soon();
      clearTimeout(settling);
      const isKnown = live.showKnown();
      writing.showKnown();
      if (isKnown) tasks.cancelThese((key) => key === 'live'); // it measures an earlier plan
      settling = setTimeout(
        () => void (isKnown ? writing.rewrite() : live.measureLive().then(writing.rewrite)),
        settleMs,
      );
    },
    stop: () => clearTimeout(settling),
  };
}
