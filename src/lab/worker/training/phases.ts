/** @file The parts of a training: each trains other tensors, with a warm-up and a schedule of its own. */
import type { RetrainRequest } from '../../contract/retraining';
import type { Plain } from '../../contract/workerSession';

export interface Phase {
  /** All weights, or low-rank factors beside them. */
  readonly trains: 'weights' | 'factors';
  /** Steps of the whole training before it. */
  readonly first: number;
  readonly steps: number;
  readonly learningRate: number;
}

export function phasesOf({ method, steps, learningRate, ...request }: Plain<RetrainRequest>): Phase[] {
  if (method === 'full' || method === 'distill') return [{ trains: 'weights', first: 0, steps, learningRate }];
  const ofFactors = request.loraLearningRate ?? learningRate;
  if (method === 'lora') return [{ trains: 'factors', first: 0, steps, learningRate }];
  const last = request.loraSteps ?? Math.floor(steps / 2);
  const first = steps - last;
  return [
    { trains: 'weights', first: 0, steps: first, learningRate },
    { trains: 'factors', first, steps: last, learningRate: ofFactors },
  ];
}
