/** @file The parts of a training: each trains other tensors, with a warm-up and a schedule of its own. */
import { LabError } from '../../../errors';
import type { DistillSetting, LoraSetting, RetrainMethod } from '../../../pruning/variant';
import type { RetrainRequest } from '../../contract/retraining';
import type { Plain } from '../../contract/workerSession';

type Request = Plain<RetrainRequest>;

export interface Phase {
  /** All weights, or low-rank factors beside them. */
  readonly trains: 'weights' | 'factors';
  /** Steps of the whole training before it. */
  readonly first: number;
  readonly steps: number;
  readonly learningRate: number;
}

export function phasesOf(request: Request): Phase[] {
  const { method, steps, learningRate } = request;
  if (method === 'lora') return [{ trains: 'factors', first: 0, steps, learningRate }];
  if (method !== 'full+lora') return [{ trains: 'weights', first: 0, steps, learningRate }];
  const last = request.loraSteps ?? Math.floor(steps / 2);
  const first = steps - last;
  return [
    { trains: 'weights', first: 0, steps: first, learningRate },
    { trains: 'factors', first, steps: last, learningRate: request.loraLearningRate ?? learningRate },
  ];
}

/** The factors of a training; null for a method without them. */
export function loraOf({ method, rank = 8, alpha = 16, dropout = 0, targets }: Request): LoraSetting | null {
  if (method !== 'lora' && method !== 'full+lora') return null;
  return { rank, alpha, dropout, ...(targets && { targets }) };
}

export function distillOf({ method, temperature = 2, weight = 0.5 }: Request): DistillSetting | null {
  return method === 'distill' ? { temperature, weight } : null;
}

/** Options that only some methods have. */
const optionsOf: readonly (readonly [options: readonly (keyof Request)[], methods: readonly RetrainMethod[]])[] = [
  [
    ['rank', 'alpha', 'dropout', 'targets'],
    ['lora', 'full+lora'],
  ],
  [['loraSteps', 'loraLearningRate'], ['full+lora']],
  [['temperature', 'weight'], ['distill']],
];

/** @throws LabError 'bad-argument' for an option that the method does not have, and for parts without a step */
export function checkMethod(request: Request): void {
  const { method, steps } = request;
  for (const [options, methods] of optionsOf) {
    const option = options.find((each) => request[each] !== undefined);
    if (option === undefined || methods.includes(method)) continue;
    throw new LabError(
      'bad-argument',
      `retrain: ${option} belongs to ${methods.map((each) => `'${each}'`).join(' and ')}, got the method '${method}'.`,
      `Leave ${option} out, or choose another method.`,
    );
  }
  const empty = phasesOf(request).find((phase) => phase.steps < 1);
  if (empty === undefined) return;
  throw new LabError(
    'bad-argument',
    `retrain: 'full+lora' has ${steps} steps, of which the last ${request.loraSteps ?? Math.floor(steps / 2)} train the factors: each part needs one at least.`,
    'Give more steps, or other loraSteps.',
  );
}
