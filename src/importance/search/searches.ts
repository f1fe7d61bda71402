/** @file Runs a greedy search by its record, and turns its steps into scores. */
import type { LayerShape } from '../../model/shape';
import { unitOfJson } from '../../model/unit';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import type { Probe } from '../method';
import type { GreedyEntry } from '../methods';
import { indexOf, unitCount } from '../numbering';
import type { Barriers } from '../types';
import { checkBarriers, checkCount } from './bounds';
import type { SearchStep } from './found';
import { searchGreedily } from './greedy';

/** What a greedy search runs on. */
export interface SearchSetting extends TaskOptions {
  readonly probe: Pick<Probe, 'removalSweep'>;
  readonly layers: readonly LayerShape[];
  readonly sequences: TokenSequences;
  /** Blocks that the + rule protects. */
  readonly protectedBlocks: readonly number[];
  /** Units to remove; the method's own limit without it. */
  readonly count?: number | undefined;
  /** The method's own without them. */
  readonly barriers?: Barriers | undefined;
}

/** Runs a greedy search. @throws LabError 'bad-argument' for barriers and counts that the model cannot meet */
export async function runSearch(record: GreedyEntry, setting: SearchSetting): Promise<SearchStep[]> {
  const { layers, protectedBlocks, barriers = record.barriers } = setting;
  const [unit] = record.units;
  checkBarriers(barriers, layers.length);
  const { first, last } = barriers;
  // One unit has to stay, or no model would be left.
  const most = Math.min(unitCount(layers.length - first - last, unit), unitCount(layers.length, unit) - 1);
  const { default: method } = await record.load();
  const count = setting.count ?? Math.min(method.limit(layers.length), most);
  checkCount(record.label, count, most);
  const kept = new Set(protectedBlocks.map((block) => layers[block]!.source));
  return searchGreedily({
    ...setting,
    count,
    candidates: (remaining) =>
      remaining.flatMap((shape, layer) =>
        layer < first || layer >= remaining.length - last || kept.has(shape.source)
          ? []
          : method.kinds(shape).map((kind) => ({ kind, layer })),
      ),
  });
}

/** The index, in a search's scores, of the unit that a step removed. */
export function stepIndex({ units: [unit] }: GreedyEntry, step: SearchStep): number {
  return indexOf(unit, unitOfJson(step));
}

/** Steps as scores: the number of the step that removed a unit, and one more than the last for units that were kept. */
export function stepScores(record: GreedyEntry, layers: number, steps: readonly SearchStep[]): number[] {
  const scores = new Array<number>(unitCount(layers, record.units[0])).fill(steps.length);
  steps.forEach((step, index) => {
    scores[stepIndex(record, step)] = index;
  });
  return scores;
}
