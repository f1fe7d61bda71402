/** @file What was measured of one variant: the newest number of each kind. */
import type { GraphPrecision } from '../../benchmark/precision';
import type { ComparisonRow, LatencyResult, PerplexityResult } from '../../report/results';
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

  recordTraining(curves: TrainingCurves): void {
    this.#training = curves;
  }

  /** Of a row of a comparison. */
  rowPart(): Pick<ComparisonRow, 'perplexity' | 'latency' | 'training'> {
    const measured = { perplexity: { ...this.#perplexity }, latency: [...this.#latency] };
    return this.#training === null ? measured : { ...measured, training: this.#training };
  }
}
