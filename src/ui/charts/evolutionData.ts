/** @file The best set's divergence after each generation, as points. Pure. */
import type { EvolutionState } from '../../importance/search/found';
import { integer, significant } from '../parts/format';
import type { ChartTable } from './frame/tableTwin';

export interface GenerationPoint {
  generation: number;
  /** Nats per token. */
  kl: number;
  evaluations: number;
  /** True if this generation improved the best set. */
  better: boolean;
}

/** One point per generation; a divergence of 0 or infinity has no place on a logarithmic axis. */
export function generationPoints({ trace }: Pick<EvolutionState, 'trace'>): GenerationPoint[] {
  return trace
    .map((point, index) => ({ ...point, better: index === 0 || point.kl < trace[index - 1]!.kl }))
    .filter(({ kl }) => kl > 0 && Number.isFinite(kl));
}

/** An axis from 0 to all generations of the search, with integer ticks. */
export function generationAxis(most: number): { domain: [number, number]; ticks: number[] } {
  const end = Math.max(1, most);
  const steps = [1, 2, 5].flatMap((m) => [m, 10 * m, 100 * m, 1000 * m]).sort((a, b) => a - b);
  const step = steps.find((size) => end / size <= 10) ?? Math.ceil(end / 10);
  return { domain: [0, end], ticks: Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step) };
}

export function generationTable(points: readonly GenerationPoint[]): ChartTable {
  return {
    head: ['generation', 'KL, nats per token', 'candidates so far'],
    rows: points.map(({ generation, kl, evaluations }) => ({
      key: String(generation),
      cells: [integer(generation), significant(kl), integer(evaluations)],
    })),
  };
}
