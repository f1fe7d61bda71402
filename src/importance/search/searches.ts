/** @file The greedy searches: which units may go, and how their steps read as scores. */
import { LabError } from '../../errors';
import type { LayerShape } from '../../model/shape';
import type { SearchStep, TaskOptions } from '../../task';
import type { Probe } from '../criterion';
import type { Criterion, Unit } from '../types';
import { searchGreedily } from './greedy';

/** What a search runs on. */
export interface SearchSetting extends TaskOptions {
  readonly probe: Pick<Probe, 'removalSweep'>;
  readonly layers: readonly LayerShape[];
  readonly windows: readonly (readonly number[])[];
  /** Blocks that must stay whole (the + rule). */
  readonly protectedBlocks: readonly number[];
  /** Units to remove; the search's own limit without it. */
  readonly count?: number | undefined;
}

export interface SearchRecord {
  readonly id: Extract<Criterion, 'sleb' | 'block-pruner'>;
  readonly label: string;
  readonly paper: string;
  /** Units that scores and order count: L blocks, or 2 L halves (attention of block l is 2 l, its MLP 2 l + 1). */
  units(layers: number): number;
  unitOf(step: Pick<SearchStep, 'layer' | 'part'>): number;
  /** Steps as far as the search goes on its own. */
  limit(layers: number): number;
  /** What may go next from the layers that remain. */
  candidates(remaining: readonly LayerShape[]): { layer: number; part: Unit }[];
}

/** SLEB: whole blocks; the first and the last that remain are never candidates. */
export const sleb: SearchRecord = {
  id: 'sleb',
  label: 'SLEB',
  paper: 'Song et al. 2024, SLEB: Streamlining LLMs through Redundancy Verification and Elimination',
  units: (layers) => layers,
  unitOf: ({ layer }) => layer,
  limit: (layers) => Math.max(0, layers - 2),
  candidates: (remaining) => remaining.slice(1, -1).map((_, index) => ({ layer: index + 1, part: 'block' })),
};

/** BlockPruner: attentions and MLPs on their own, anywhere; by itself it goes on until half of them are gone. */
export const blockPruner: SearchRecord = {
  id: 'block-pruner',
  label: 'BlockPruner',
  paper: 'Zhong et al. 2024, BlockPruner: Fine-grained Pruning for Large Language Models',
  units: (layers) => 2 * layers,
  unitOf: ({ layer, part }) => 2 * layer + (part === 'mlp' ? 1 : 0),
  limit: (layers) => layers,
  candidates: (remaining) =>
    remaining.flatMap(({ heads, ffn }, layer) => [
      ...(heads > 0 ? [{ layer, part: 'attention' as const }] : []),
      ...(ffn > 0 ? [{ layer, part: 'mlp' as const }] : []),
    ]),
};

export const searches: readonly SearchRecord[] = [sleb, blockPruner];

/** The search of a criterion, or null for criteria that score every unit once. */
export function searchOf(criterion: string): SearchRecord | null {
  return searches.find(({ id }) => id === criterion) ?? null;
}

/** Runs a search. @throws LabError 'bad-argument' for a count outside 1 … what could be removed at all. */
export async function runSearch(record: SearchRecord, setting: SearchSetting): Promise<SearchStep[]> {
  const { layers, protectedBlocks } = setting;
  // One unit has to stay, or nothing would be left of the model.
  const most = record.id === 'sleb' ? record.limit(layers.length) : record.units(layers.length) - 1;
  const count = setting.count ?? record.limit(layers.length);
  if (!Number.isInteger(count) || count < 1 || count > most) {
    throw new LabError(
      'bad-argument',
      `count: ${record.label} removes 1 to ${most} units, got ${count}.`,
      'Give another count.',
    );
  }
  const kept = new Set(protectedBlocks.map((block) => layers[block]!.source));
  return searchGreedily({
    ...setting,
    count,
    candidates: (remaining) => record.candidates(remaining).filter(({ layer }) => !kept.has(remaining[layer]!.source)),
  });
}

/** Steps as scores: the number of the step that removed a unit, and one more than the last for those that stayed. */
export function stepScores(record: SearchRecord, layers: number, steps: readonly SearchStep[]): number[] {
  const scores = new Array<number>(record.units(layers)).fill(steps.length);
  steps.forEach((step, index) => {
    scores[record.unitOf(step)] = index;
  });
  return scores;
}
