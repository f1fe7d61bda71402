/** @file AdamW (Loshchilov and Hutter, 2019): Adam with decoupled weight decay and bias correction, in PyTorch's order of operations. */
import type { Floats } from './arrays';

export interface AdamW {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** Running means of a weight's gradient and of its square, both 0 before the first step. */
export interface Moments {
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/**
 * Changes `weight` and `moments` in place.
 * @param step counts from 1
 */
export function adamwStep(
  weight: Float64Array,
  gradient: Floats,
  { first, second }: Moments,
  step: number,
  { learningRate, beta1, beta2, epsilon, weightDecay }: AdamW,
): void {
  const correction1 = 1 - beta1 ** step;
  const correction2 = 1 - beta2 ** step;
  for (let i = 0; i < weight.length; i++) {
    const g = gradient[i]!;
    first[i] = beta1 * first[i]! + (1 - beta1) * g;
    second[i] = beta2 * second[i]! + (1 - beta2) * g * g;
    const decayed = weight[i]! * (1 - learningRate * weightDecay);
    weight[i] = decayed - ((learningRate / correction1) * first[i]!) / (Math.sqrt(second[i]! / correction2) + epsilon);
  }
}

/** What all gradients are multiplied by, so that their global norm is at most `most`; as torch.nn.utils.clip_grad_norm_. */
export function clipFactor(norm: number, most: number): number {
  return Math.min(1, most / (norm + 1e-6));
}
