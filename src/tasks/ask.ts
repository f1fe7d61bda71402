/** @file Asking a model the questions of a task: in groups of about equal length, so that sequences batch well. */
import { throwIfAborted } from '../errors';
import type { TokenSequences } from '../numerics/tokens';
import type { TaskOptions } from '../task';
import { hashSequences } from '../text/sequences';
import { type Grade, grade } from './grade';
import type { Task } from './item';
import type { ItemSequences } from './sequences';

/** Tokens of a group: between two groups the call may be cancelled, and other calls get their turn. */
const tokensTogether = 1024;

/**
 * Sum of the negative log-likelihoods of each sequence's tokens from its first target on, in nats [sequences].
 */
export type SumLosses = (sequences: TokenSequences, firstTargets: readonly number[]) => Promise<readonly number[]>;

/** @param asked the task's questions as tokens, of `taskSequences` */
export async function ask(
  { items }: Task,
  asked: readonly ItemSequences[],
  sumLosses: SumLosses,
  { signal, onProgress }: TaskOptions = {},
): Promise<Grade> {
  const logLikelihoods: number[][] = items.map(() => []);
  let done = 0;
  for (const group of groups(asked)) {
    throwIfAborted(signal, 'Asking the questions');
    onProgress?.({ stage: 'Asking the questions', done, total: items.length, unit: 'questions' });
    const sequences = group.flatMap((index) => asked[index]!.sequences);
    const firstTargets = group.flatMap((index) => asked[index]!.firstTargets);
    const losses = await sumLosses(sequences, firstTargets);
    let at = 0;
    for (const index of group) {
      const { length } = asked[index]!.sequences;
      logLikelihoods[index] = losses.slice(at, at + length).map((loss) => -loss);
      at += length;
    }
    done += group.length;
  }
  onProgress?.({ stage: 'Asking the questions', done, total: items.length, unit: 'questions' });
  return grade(items, logLikelihoods);
}

/** Hash of all sequences, of where their answers begin, and of which answers are right. */
export function hashTask({ items }: Task, asked: readonly ItemSequences[]): string {
  const firsts = asked.flatMap(({ firstTargets }) => firstTargets);
  return hashSequences([...asked.flatMap(({ sequences }) => sequences), firsts, items.map(({ gold }) => gold)]);
}

const lengthOf = ({ sequences }: ItemSequences): number => Math.max(...sequences.map(({ length }) => length));

/** Indices of questions in groups, the longest first: memory that is short shows at once. */
function groups(asked: readonly ItemSequences[]): number[][] {
  const order = asked.map((_, index) => index).sort((a, b) => lengthOf(asked[b]!) - lengthOf(asked[a]!) || a - b);
  const all: number[][] = [];
  let tokens = Number.POSITIVE_INFINITY;
  for (const index of order) {
    const { sequences } = asked[index]!;
    const more = sequences.reduce((sum, { length }) => sum + length, 0);
    if (tokens + more > tokensTogether) {
      all.push([]);
      tokens = 0;
    }
    all.at(-1)!.push(index);
    tokens += more;
  }
  return all;
}
