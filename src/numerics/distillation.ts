/**
 * @file The loss of knowledge distillation (Hinton et al., arXiv 1503.02531), per token: the next token's negative log-likelihood mixed
 * with the divergence of the student's distribution from the teacher's, both softened by a temperature.
 */
import type { Floats } from './arrays';
import { logSumExp } from './crossEntropy';

export interface Distillation {
  /** Above 0: logits are divided by it. */
  readonly temperature: number;
  /** Of the divergence in the loss, 0 to 1. */
  readonly weight: number;
}

/** In nats; loss = (1 − weight) · crossEntropy + weight · temperature² · divergence. */
export interface DistillationLoss {
  readonly loss: number;
  /** log Σ exp(student) − student[target] */
  readonly crossEntropy: number;
  /** KL(softmax(teacher / temperature) ‖ softmax(student / temperature)) */
  readonly divergence: number;
}

/** The loss of one token from both models' logits [vocab]. */
export function distillationLoss(
  student: Floats,
  teacher: Floats,
  target: number,
  { temperature, weight }: Distillation,
): DistillationLoss {
  const [p, q] = [logShares(teacher, temperature), logShares(student, temperature)];
  const divergence = p.reduce((sum, value, v) => sum + Math.exp(value) * (value - q[v]!), 0);
  const crossEntropy = logSumExp(student) - student[target]!;
  return { loss: (1 - weight) * crossEntropy + weight * temperature ** 2 * divergence, crossEntropy, divergence };
}

/**
 * ∂loss/∂student [vocab] = (1 − weight) · (softmax(student) − onehot(target))
 * + weight · temperature · (softmax(student / temperature) − softmax(teacher / temperature)).
 */
export function distillationGradient(
  student: Floats,
  teacher: Floats,
  target: number,
  { temperature, weight }: Distillation,
): Float64Array {
  const [p, q] = [logShares(teacher, temperature), logShares(student, temperature)];
  return logShares(student, 1).map(
    (share, v) =>
      (1 - weight) * (Math.exp(share) - (v === target ? 1 : 0)) +
      weight * temperature * (Math.exp(q[v]!) - Math.exp(p[v]!)),
  );
}

/** log softmax(logits / temperature) */
function logShares(logits: Floats, temperature: number): Float64Array {
  const divided = Float64Array.from(logits, (logit) => logit / temperature);
  const total = logSumExp(divided);
  return divided.map((logit) => logit - total);
}
