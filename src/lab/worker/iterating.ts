/** @file Removes blocks one by one, with a repair and new scores after each. */
import { LabError } from '../../errors';
import type { TaskOptions } from '../../task';
import type { IterateRequest, VariantInfo } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { Gpu } from './gpu';
import type { Scoring } from './scoring';
import type { Workspace } from './workspace';

export async function iterate(
  _workspace: Workspace,
  _gpu: Gpu,
  _scoring: Scoring,
  _task: TaskOptions,
  _request: Plain<IterateRequest>,
): Promise<VariantInfo> {
  throw new LabError('not-available', 'This is not in this version yet.', 'Reload the page for a newer version.');
}
