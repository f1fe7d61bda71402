/** @file What a training reads, made from its request: in every session the same rows, or an error that says what has changed. */
import { LabError } from '../../../errors';
import type { TaskOptions } from '../../../task';
import type { RetrainRequest } from '../../contract/retraining';
import type { Plain } from '../../contract/workerSession';
import type { Gpu } from '../gpu';
import { type TrainingData, trainingData } from '../trainingRows';
import type { Workspace } from '../workspace';

/** Hashes of the rows that a training began with. */
export interface RowHashes {
  readonly rows: string;
  readonly heldOut: string;
}

/** @throws LabError 'changed' where the text gives other rows than `expected` */
export async function prepareAgain(
  workspace: Workspace,
  gpu: Gpu,
  task: TaskOptions,
  request: Plain<RetrainRequest>,
  expected: RowHashes,
): Promise<TrainingData> {
  const data = await trainingData(workspace, gpu, task, request);
  const { text, heldOut } = data;
  if (expected.rows !== text.hash) throw changed('text', text.corpus);
  if (expected.heldOut !== heldOut.text.hash) throw changed('held-out text', heldOut.text.corpus);
  return data;
}

function changed(what: string, corpus: string): LabError {
  return new LabError(
    'changed',
    `The ${what} of the training ('${corpus}') gives other tokens now than when the training began.`,
    'Bring the text back as it was, or stop this training and start a new one. With keep, stopping it makes a variant of its last checkpoint.',
  );
}
