/** @file What a training reads: its rows and the held-out rows, made from the request, the same in every session. */
import { LabError } from '../../../errors';
import type { RepairText } from '../../../pruning/variant';
import type { TaskOptions } from '../../../task';
import type { RetrainRequest } from '../../contract/retraining';
import type { Plain } from '../../contract/workerSession';
import { calibrationOf, type Workspace } from '../workspace';

export interface Prepared {
  readonly rows: readonly (readonly number[])[];
  /** As the recipe tells it. */
  readonly text: RepairText;
  readonly heldOut: readonly (readonly number[])[];
  readonly heldOutHash: string;
}

/** Hashes of the rows that a training began with. */
export interface RowHashes {
  readonly rows: string;
  readonly heldOut: string;
}

/** More rows than any text that a browser trains on. */
const mostRows = 1_000_000;

/** The seed of a training: the calibration's unless told. Given rows are trained on in their order. */
export async function seedOf(workspace: Workspace, request: Plain<RetrainRequest>, task: TaskOptions): Promise<number> {
  if (request.seed !== undefined) return request.seed;
  return request.tokenIds === undefined ? (await calibrationOf(workspace, task)).info.seed : 0;
}

/**
 * @param expected the hashes of the rows that the training began with
 * @throws LabError 'changed' where the text gives other rows now
 */
export async function prepare(
  { sequences }: Workspace,
  request: Plain<RetrainRequest>,
  seed: number,
  task: TaskOptions,
  expected?: RowHashes,
): Promise<Prepared> {
  // All rows of the text, in its order; each epoch shuffles them. Unless told, the text that criteria calibrate on: the other is held out.
  const { corpus = 'calibration', text: own, tokenIds, seqLen, hub, addBosToEvery, samples = mostRows } = request;
  const asked = { corpus, text: own, tokenIds, seqLen, hub, addBosToEvery, samples };
  const { tokens: rows, text: of } = await sequences.evaluation(defined(asked), task);
  const { tokens: heldOut, text: ofHeldOut } = await sequences.evaluation(request.evaluation ?? {}, task);
  if (expected !== undefined && expected.rows !== of.hash) throw changed('text', of.corpus);
  if (expected !== undefined && expected.heldOut !== ofHeldOut.hash) throw changed('held-out text', ofHeldOut.corpus);
  const text = { corpus: of.corpus, samples: of.sequences, seqLen: of.seqLen, seed, hash: of.hash };
  return { rows, text, heldOut, heldOutHash: ofHeldOut.hash };
}

/** The options that were given. */
function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function changed(what: string, corpus: string): LabError {
  return new LabError(
    'changed',
    `The ${what} of the training ('${corpus}') gives other tokens now than when the training began.`,
    'Bring the text back as it was, or stop this training and start a new one. With keep, stopping it makes a variant of its last checkpoint.',
  );
}
