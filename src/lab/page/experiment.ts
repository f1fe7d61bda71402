/** @file The preset experiment as the page shows it: which of its trainings are done, run, wait or are missing. Pure. */
import type { PruningPlan } from '../../pruning/plan';
import type { RetrainStep } from '../../pruning/variant';
import type { ComparisonRow } from '../../report/results';
import { type PresetCut, type PresetTraining, presetExperiment } from '../../retrain/preset';
import type { TrainingInfo } from '../contract/retraining';
import type { TrainingChoice } from './training';

/** What the laboratory is asked for a training of the experiment. */
export function choiceOf({ method, learningRate, loraLearningRate }: PresetTraining): TrainingChoice {
  const { steps, batch, seqLen, warmup, schedule, rank, alpha, seed } = presetExperiment.setting;
  return {
    ...{ method, steps, batch, seqLen, warmup, schedule, seed, learningRate },
    ...(method === 'lora' || method === 'full+lora' ? { rank, alpha } : {}),
    ...(loraLearningRate === undefined ? {} : { loraLearningRate }),
  };
}

/** Whether a training is one of the experiment: the same method with the same settings. */
function isSame(
  wanted: TrainingChoice,
  made: Pick<RetrainStep, 'method' | 'steps' | 'batch' | 'learningRate' | 'seed'>,
) {
  const { method, steps, batch, learningRate, seed } = made;
  return (
    method === wanted.method &&
    steps === wanted.steps &&
    batch === wanted.batch &&
    learningRate === wanted.learningRate &&
    seed === wanted.seed
  );
}

/** One training of one cut. */
export interface ExperimentPart {
  readonly cut: PresetCut;
  readonly training: PresetTraining;
  readonly choice: TrainingChoice;
  /** The row of the trained variant; null while there is none. */
  readonly row: ComparisonRow | null;
  /** The training, while the queue has it. */
  readonly queued: TrainingInfo | null;
}

export interface ExperimentCut {
  readonly cut: PresetCut;
  /** The row of the pruned variant; null while it is not made. */
  readonly pruned: ComparisonRow | null;
  readonly parts: readonly ExperimentPart[];
}

const isPlain = ({ recipe }: ComparisonRow): boolean => recipe.every(({ kind }) => kind === 'prune');

/** Whether a plan removes as many whole blocks as a cut, and nothing else. */
function isCut({ removeAttention, removeMlp, keepHeads, keepNeurons, ...plan }: PruningPlan, count: number): boolean {
  const others = removeAttention.length + removeMlp.length + (keepHeads?.length ?? 0) + (keepNeurons?.length ?? 0);
  return others === 0 && plan.removeBlocks.length === count;
}

/** The state of the experiment as rows and queue tell it: so it survives a reload, and goes on where it stopped. */
export function experimentOf(rows: readonly ComparisonRow[], queue: readonly TrainingInfo[]): ExperimentCut[] {
  return presetExperiment.cuts.map((cut): ExperimentCut => {
    const cuts = rows.filter((row) => row.name === nameOf(cut) && isPlain(row) && isCut(row.plan, cut.count));
    const pruned = cuts.at(-1) ?? null;
    const parts = presetExperiment.trainings.map((training): ExperimentPart => {
      const choice = choiceOf(training);
      const made = ({ parent, recipe }: ComparisonRow): boolean => {
        const last = recipe.at(-1);
        return parent === pruned?.variant && last?.kind === 'retrain' && isSame(choice, last);
      };
      const asked = ({ variant, request }: TrainingInfo): boolean =>
        variant === pruned?.variant && isSame(choice, { ...request, seed: request.seed ?? -1 });
      return { cut, training, choice, row: rows.findLast(made) ?? null, queued: queue.find(asked) ?? null };
    });
    return { cut, pruned, parts };
  });
}

/** The name of a pruned variant of the experiment. */
export const nameOf = ({ name, count }: PresetCut): string => `${name} cut, without ${count} blocks`;

export const allParts = (cuts: readonly ExperimentCut[]): ExperimentPart[] => cuts.flatMap(({ parts }) => parts);

export const isFinished = (cuts: readonly ExperimentCut[]): boolean => allParts(cuts).every(({ row }) => row !== null);

/** Whether anything of it was made or asked for. */
export const isBegun = (cuts: readonly ExperimentCut[]): boolean => cuts.some(({ pruned }) => pruned !== null);
