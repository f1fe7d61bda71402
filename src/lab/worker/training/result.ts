/** @file What a training leaves: the tensors of the variant that it makes, and the step of its recipe. */
import type { Engine } from '../../../engine/engine';
import { LoraTrainer } from '../../../engine/train/loraTrainer';
import type { Trainer } from '../../../engine/train/trainer';
import type { FittedTensor } from '../../../model/patchTensors';
import type { ModelView } from '../../../model/view';
import type { RetrainStep, TrainingSetting } from '../../../pruning/variant';
import { carriedTensors, joined } from '../../../repair/tensors';
import type { OwnTensor } from '../../../repair/types';
import { type KeptAdapter, keepAdapter } from '../../../retrain/keptAdapter';
import { mergedTensors, trainedTensors } from '../../../retrain/tensors';
import type { TaskOptions } from '../../../task';
import { WrittenWeights } from '../../../weights/written';
import type { RetrainRequest } from '../../contract/retraining';
import type { Plain } from '../../contract/workerSession';
import { distillOf, loraOf, type Phase, phasesOf } from './phases';
import type { TrainingRun } from './run';

export interface Trained {
  readonly engine: Engine;
  /** The variant before the training, with the tensors of its own. */
  readonly before: ModelView;
  readonly own: readonly FittedTensor[];
  /** What was trained on. */
  readonly view: ModelView;
  readonly trainer: Trainer;
}

/** All tensors of the new variant's own, in the types that the model stores. */
export async function resultTensors(trained: Trained, task: TaskOptions): Promise<OwnTensor[]> {
  const { engine, before, own, view, trainer } = trained;
  await engine.flush(task);
  const written = view.weights instanceof WrittenWeights ? view.weights : null;
  if (!(trainer instanceof LoraTrainer)) return trainedTensors(before, written!, trainer, task);
  const merged = await mergedTensors(before, view.weights, trainer, task);
  if (written === null) return joined(await carriedTensors(own, before, task), merged);
  // All weights were trained before the factors: their tables are on the GPU.
  const tables = engine.trainer();
  try {
    return joined(await trainedTensors(before, written, tables, task), merged);
  } finally {
    tables.close();
  }
}

/** The factors of 'lora', for an export. Those of 'full+lora' belong to weights that are no variant. */
export async function adapterOf(
  { facts: { request, source } }: TrainingRun,
  trainer: Trainer,
  task: TaskOptions,
): Promise<KeptAdapter | null> {
  const lora = loraOf(request);
  if (lora === null || request.method !== 'lora' || !(trainer instanceof LoraTrainer)) return null;
  return keepAdapter(lora, source, trainer.factors(task));
}

export function recipeStep({ facts, record, step: steps }: TrainingRun): RetrainStep {
  const { request, seed, text } = facts;
  const { method, batch, learningRate } = request;
  const [lora, distill] = [loraOf(request), distillOf(request)];
  const factors = phasesOf(request).find(({ trains }) => trains === 'factors');
  return {
    ...{ kind: 'retrain', method, steps, batch, learningRate, seed, text },
    ...(lora && { lora: { ...lora, ...stepsOfFactors(factors, method, steps) } }),
    ...(distill && { distill }),
    setting: settingOf(request, steps),
    ...{ tokens: record.tokens, seconds: Math.round(record.seconds * 10) / 10 },
  };
}

/** Of 'full+lora', how many of the steps that were made trained the factors. */
function stepsOfFactors(phase: Phase | undefined, method: string, made: number): { steps?: number } {
  return phase === undefined || method !== 'full+lora' ? {} : { steps: Math.max(0, made - phase.first) };
}

/** Everything that the request says beside the step. */
function settingOf(request: Plain<RetrainRequest>, made: number): TrainingSetting {
  const { warmup, schedule, clip, beta1, beta2, weightDecay, loraLearningRate, steps } = request;
  const asked = { warmup, schedule, clip, beta1, beta2, weightDecay, loraLearningRate };
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...(made < steps && { stepsAsked: steps }) };
}
