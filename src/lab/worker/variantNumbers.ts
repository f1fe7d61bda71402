/** @file What was measured of one variant: the newest number of each kind. */
import type { GraphPrecision } from '../../benchmark/precision';
import { most } from '../../report/fields';
import type { ComparisonRow, LatencyResult, PerplexityResult, TaskResult } from '../../report/results';
import type { TrainingCurves } from '../../report/trainingCurves';

const isSameTrial = (a: LatencyResult, b: LatencyResult): boolean =>
  a.batch === b.batch &&
  a.runtime === b.runtime &&
  a.promptTokens === b.promptTokens &&
  a.newTokens === b.newTokens &&
  a.device.runtime === b.device.runtime &&
  a.device.adapter === b.device.adapter;

/** Results of versions that had one precision only name none. */
const precisionOf = ({ precision = 'f32' }: LatencyResult): GraphPrecision => precision;

export class VariantNumbers {
  #perplexity: Partial<Record<PerplexityResult['runtime'], PerplexityResult>> = {};
  #latency: readonly LatencyResult[] = [];
  readonly #tasks = new Map<string, TaskResult>();
  #training: TrainingCurves | null = null;

  recordPerplexity(result: PerplexityResult): void {
    this.#perplexity[result.runtime] = result;
  }

  /**
   * Keeps the newest result for each batch size and runtime. A speed-up that was measured before stays, where the same was
   * timed again without another variant beside it.
   */
  recordLatency(results: readonly LatencyResult[]): void {
    const replaced = (old: LatencyResult) =>
      results.some(
        (now) => now.batch === old.batch && now.runtime === old.runtime && precisionOf(now) === precisionOf(old),
      );
    const newest = results.map((now) => {
      const before = this.#latency.find((old) => isSameTrial(old, now));
      return now.speedUp === undefined && before?.speedUp ? { ...now, speedUp: before.speedUp } : now;
    });
    this.#latency = [...this.#latency.filter((old) => !replaced(old)), ...newest];
  }

  /** Replaces an earlier result of the same task, also one of other questions. Of more tasks than a record holds, the first go. */
  recordTask(result: TaskResult): void {
    this.#tasks.set(result.task, result);
    for (const first of [...this.#tasks.keys()].slice(0, -most.tasks)) this.#tasks.delete(first);
  }

  recordTraining(curves: TrainingCurves): void {
    this.#training = curves;
  }

  /** The part of a comparison's row that was measured. */
  rowPart(): Pick<ComparisonRow, 'perplexity' | 'latency' | 'tasks' | 'training'> {
    return {
      ...{ perplexity: { ...this.#perplexity }, latency: [...this.#latency] },
      ...(this.#tasks.size > 0 && { tasks: [...this.#tasks.values()] }),
      ...(this.#training !== null && { training: this.#training }),
    };
  }
}
