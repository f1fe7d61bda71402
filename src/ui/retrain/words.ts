/** @file Times and names of trainings in words. Pure. */
import type { TrainingInfo } from '../../lab/contract/retraining';
import { integer, percent, plural } from '../parts/format';
import { shortMethod } from './methods';

const nbsp = '\u00a0';

/** '4 s', '1 min 20 s', '25 min', '3 h 10 min'. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 100) return `${whole}${nbsp}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 10) {
    const rest = Math.round((whole % 60) / 10) * 10;
    return rest === 0 || rest === 60 ? `${minutes + rest / 60}${nbsp}min` : `${minutes}${nbsp}min ${rest}${nbsp}s`;
  }
  const rounded = Math.round(whole / 60);
  if (rounded < 100) return `${rounded}${nbsp}min`;
  return `${Math.floor(rounded / 60)}${nbsp}h ${rounded % 60}${nbsp}min`;
}

/** 'without blocks 5 and 6 · LoRA'. */
export function trainingName({
  variantName,
  variant,
  request,
}: Pick<TrainingInfo, 'variantName' | 'variant' | 'request'>): string {
  const name = variant === 'base' ? 'original model' : variantName;
  return `${name} · ${shortMethod[request.method]}`;
}

/** 'step 37 of 200'. */
export function stepText({ step, steps }: Pick<TrainingInfo, 'step' | 'steps'>): string {
  return `step ${integer(step)} of ${integer(steps)}`;
}

/** The state of a training in one line: 'waiting', 'paused at step 37 of 200'. */
export function phaseText(training: Pick<TrainingInfo, 'phase' | 'step' | 'steps'>): string {
  const { phase, step, steps } = training;
  if (phase === 'waiting')
    return step === 0 ? `waits for its turn, ${plural(steps, 'step')}` : `waits for its turn at ${stepText(training)}`;
  if (phase === 'running') return stepText(training);
  if (phase === 'interrupted') return `stopped at ${stepText(training)}`;
  return `${phase} at ${stepText(training)}`;
}

/** The share of the loss that pruning cost and training won back; null where pruning cost nothing. */
export function recovered(pruned: number, trained: number, base: number): number | null {
  const lost = Math.log(pruned / base);
  return lost > 0.001 && Number.isFinite(lost) ? Math.log(pruned / trained) / lost : null;
}

/** 'wins back 84% of the loss', 'loses more'. */
export function recoveredText(share: number): string {
  return share < 0 ? 'is worse than before' : `wins back ${percent(share)} of the loss`;
}
