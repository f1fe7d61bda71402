/** @file The loss that a training step minimizes: of all predicted tokens or of some, with a teacher or without. */
import { LabError } from '../../errors';
import type { TokenSequences } from '../../numerics/tokens';
import { backwardBatchRows } from '../pass/backwardPass';
import { checkDistillation, type Distillation, distillationLoss, type Teacher } from '../pass/distillationLoss';
import type { HeadLoss } from '../pass/headLoss';
import { nextTokenLoss } from '../pass/nextTokenLoss';
import type { EngineParts } from '../pass/runtime';
import { type Batch, makeBatches } from '../pass/sequences';

export interface LossSetting {
  /**
   * By row, the first token whose loss counts, at least 1; a row that ends before it counts nowhere. Without it all predicted tokens
   * count.
   */
  readonly firstTargets?: readonly number[] | undefined;
  /** Mixes the loss with the divergence from the predictions of an open view of the same GPU, such as the base's engine. */
  readonly distill?: (Distillation & { readonly teacher: Teacher }) | undefined;
  /** Rows that go through the model together, at most: gradients accumulate over them. Without it as many as memory allows. */
  readonly microBatch?: number | undefined;
}

/** Runs a pass over micro-batches of the rows with the loss of the step. @throws LabError 'bad-argument' */
export async function withLoss<T>(
  parts: EngineParts,
  sequences: TokenSequences,
  { firstTargets, distill, microBatch }: LossSetting,
  pass: (batches: readonly Batch[], loss: HeadLoss) => Promise<T>,
): Promise<T> {
  checkFirstTargets(sequences, firstTargets);
  checkMicroBatch(microBatch);
  const batches = makeBatches(sequences, backwardBatchRows(parts), false, microBatch);
  if (distill === undefined) return pass(batches, nextTokenLoss);
  checkDistillation(parts.shape, distill);
  return distill.teacher.lend(parts, (teacher) => pass(batches, distillationLoss(teacher, distill)));
}

function checkMicroBatch(rows: number | undefined): void {
  if (rows === undefined || (Number.isInteger(rows) && rows >= 1)) return;
  throw new LabError(
    'bad-argument',
    `microBatch: expected an integer of at least 1, got ${rows}.`,
    'Give a number of rows.',
  );
}

function checkFirstTargets(sequences: TokenSequences, firsts: readonly number[] | undefined): void {
  if (firsts === undefined) return;
  const bad = firsts.find((first) => !(Number.isInteger(first) && first >= 1));
  if (bad === undefined && firsts.length === sequences.length) return;
  const got = bad === undefined ? `${firsts.length} for ${sequences.length} rows` : bad;
  throw new LabError(
    'bad-argument',
    `firstTargets: expected an integer of at least 1 for every row, got ${got}.`,
    'Give the index of the first token of each response.',
  );
}
