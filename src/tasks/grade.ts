/** @file Log-likelihoods of answers → shares of right answers, as lm-evaluation-harness computes them. */
import { shareError } from '../numerics/statistics';
import type { TaskItem } from './item';

/** What a model answered to one question. */
export interface ItemAnswer {
  /** Index of the right answer. */
  readonly gold: number;
  /** Index of the likeliest answer; the first of equals. */
  readonly chosen: number;
  /** Index of the answer that is likeliest per character. */
  readonly chosenNorm: number;
  /** Sum of the log-probabilities of each answer's tokens, in nats [choices]. */
  readonly logLikelihoods: readonly number[];
}

export interface Grade {
  readonly items: number;
  /** Share of the questions whose likeliest answer is right, 0…1. */
  readonly accuracy: number;
  /** The same where each log-likelihood is divided by the answer's characters, 0…1: `acc_norm` of lm-evaluation-harness. */
  readonly accuracyNorm: number;
  /** Of `accuracy`: sqrt(p (1 − p) / (items − 1)); 0 for a single question. */
  readonly standardError: number;
  readonly answers: readonly ItemAnswer[];
}

/** @param logLikelihoods in nats [items][choices] */
export function grade(items: readonly TaskItem[], logLikelihoods: readonly (readonly number[])[]): Grade {
  const answers = items.map(({ gold, choices }, index): ItemAnswer => {
    const sums = logLikelihoods[index]!;
    // Code points, which Python's len() counts.
    const perCharacter = sums.map((sum, choice) => sum / [...choices[choice]!].length);
    return { gold, chosen: largest(sums), chosenNorm: largest(perCharacter), logLikelihoods: sums };
  });
  const share = (isRight: (answer: ItemAnswer) => boolean): number => answers.filter(isRight).length / answers.length;
  const accuracy = share(({ gold, chosen }) => chosen === gold);
  return {
    items: items.length,
    accuracy,
    accuracyNorm: share(({ gold, chosenNorm }) => chosenNorm === gold),
    standardError: shareError(accuracy, items.length),
    answers,
  };
}

/** Index of the largest number; the first of equals. */
const largest = (numbers: readonly number[]): number => numbers.indexOf(Math.max(...numbers));
