/** @file Searches the variant with the lowest perplexity under a budget on this device. */
import { LabError } from '../../errors';
import type { TaskOptions } from '../../task';
import type { BestRequest, BestResult } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { Gpu } from './gpu';
import type { Scoring } from './scoring';
import type { Workspace } from './workspace';

export async function findBest(
  _workspace: Workspace,
  _gpu: Gpu,
  _scoring: Scoring,
  _task: TaskOptions,
  _request: Plain<BestRequest>,
): Promise<BestResult> {
  throw new LabError('not-available', 'This is not in this version yet.', 'Reload the page for a newer version.');
}
