/** @file The interface of the laboratory for the page's commands besides `Lab`: its worker's news and facts about its calls. */

import type { ModelInfo } from '../../report/facts';
import type { Failure } from '../contract/failure';
import type { LoadOptions, Source } from '../contract/types';
import type { Call, Hearing } from '../contract/underWay';

/** Identifies a call. */
export type CallName = Pick<Call, 'method' | 'signal'>;

export interface LabWorker {
  /** Opens a model for the page. A script uses `lab.load`. */
  loadForPage(source: Source, options?: LoadOptions): Promise<ModelInfo>;
  /** A script has opened a model: the page opens none by itself any more. */
  scriptIsInCharge(): boolean;
  /** Reports each model that a script opens. */
  onScriptLoad(listener: (model: ModelInfo) => void): void;
  /** Reports that a call, also one of a script, has changed the variants or their numbers. */
  onVariantsChange(listener: () => void): void;
  /** Reports that the laboratory replaced its worker by itself, and why. */
  onRestart(listener: (reason: string) => void): void;
  /** Reports that a newer version of the page, in another tab, has taken over the stored models. */
  onSuperseded(listener: (failure: Failure) => void): void;
  /** Reports that the worker has not answered for long although a call waits for it, and that it answers again. */
  onSilence(listener: (silent: boolean) => void): void;
  /** Whether the calls of a cancelled task have ended. */
  hearingOf(signal: AbortSignal): Promise<Hearing>;
  /** The calls that a new worker would lose, except those of the task with this signal. */
  callsBesides(signal: AbortSignal | undefined): readonly CallName[];
}
