/** @file How fast a training is: tokens a second over its last steps, and the time until its end. */
import type { TrainingRecord } from '../../../retrain/train';

/** Steps whose mean counts. */
const window = 10;

export class Pace {
  /** What had been made when each of the last steps began or ended, the newest last. */
  #marks: { readonly step: number; readonly tokens: number; readonly seconds: number }[] = [];
  #evaluation = { count: 0, seconds: 0 };

  /** Before a step and behind the last one. */
  mark({ losses, tokens, seconds }: TrainingRecord): void {
    const step = losses.length;
    if (this.#marks.at(-1)?.step === step) return;
    this.#marks = [...this.#marks, { step, tokens, seconds }].slice(-window - 1);
  }

  evaluated(seconds: number): void {
    this.#evaluation = { count: this.#evaluation.count + 1, seconds: this.#evaluation.seconds + seconds };
  }

  /** Forgets the steps: the training begins again from another one, or later. */
  reset(): void {
    this.#marks = [];
  }

  get tokensPerSecond(): number | null {
    const { first, last } = this.#ends();
    return last === undefined ? null : (last.tokens - first!.tokens) / (last.seconds - first!.seconds);
  }

  /** @param evaluations how many are still to come */
  secondsLeft(steps: number, evaluations: number): number | null {
    const { first, last } = this.#ends();
    if (last === undefined) return null;
    const step = (last.seconds - first!.seconds) / (last.step - first!.step);
    const { count, seconds } = this.#evaluation;
    return steps * step + (count === 0 ? 0 : (evaluations * seconds) / count);
  }

  #ends() {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    return first !== undefined && last !== undefined && last.seconds > first.seconds ? { first, last } : {};
  }
}
