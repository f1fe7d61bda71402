/** @file Builds variants that meet one budget, and benchmarks them by turns. */
import { LabError } from '../../errors';
import type { TaskOptions } from '../../task';
import type { ComparedRow, CompareRequest } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { Gpu } from './gpu';
import type { Scoring } from './scoring';
import type { Workspace } from './workspace';

export async function compareVariants(
  _workspace: Workspace,
  _gpu: Gpu,
  _scoring: Scoring,
  _task: TaskOptions,
  _request: Plain<CompareRequest>,
): Promise<ComparedRow[]> {
  throw new LabError('not-available', 'This is not in this version yet.', 'Reload the page for a newer version.');
}
