/** @file The greedy searches: which units may go, and how their steps read as scores. */

import type { LayerShape } from '../../model/shape';
import { type DepthKind, subBlockKinds, unitsInLayer } from '../../model/unit';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import type { Probe } from '../criterion';
import type { Barriers, Criterion } from '../types';
import { checkBarriers, checkCount } from './bounds';
import type { SearchStep } from './found';
import { searchGreedily } from './greedy';

/** What a search runs on. */
export interface SearchSetting extends TaskOptions {
  readonly probe: Pick<Probe, 'removalSweep'>;
  readonly layers: readonly LayerShape[];
  readonly sequences: TokenSequences;
  /** Blocks that must stay whole (the + rule). */
  readonly protectedBlocks: readonly number[];
  /** Units to remove; the search's own limit without it. */
  readonly count?: number | undefined;
  /** The search's own without them. */
  readonly barriers?: Barriers | undefined;
}

export interface SearchRecord {
  readonly id: Extract<Criterion, 'sleb' | 'block-pruner'>;
  readonly label: string;
  readonly paper: string;
  /** Units that scores and order count: L blocks, or 2 L halves (attention of block l is 2 l, its MLP 2 l + 1). */
  units(layers: number): number;
  unitOf(step: Pick<SearchStep, 'layer' | 'part'>): number;
  /** Ends that are never candidates, unless others are asked for. */
  readonly barriers: Barriers;
  /** Units that could go at most, of so many blocks between the barriers. */
  most(between: number): number;
  /** Steps as far as the search goes on its own, of so many blocks. */
  limit(layers: number): number;
  /** The units of a layer that remains. */
  kinds(layer: LayerShape): readonly DepthKind[];
}

/** SLEB: whole blocks; the first and the last that remain are never candidates. */
export const sleb: SearchRecord = {
  id: 'sleb',
  label: 'SLEB',
  paper: 'Song et al. 2024, SLEB: Streamlining LLMs through Redundancy Verification and Elimination',
  units: (layers) => layers,
  unitOf: ({ layer }) => layer,
  barriers: { first: 1, last: 1 },
  most: (between) => between,
  limit: (layers) => layers,
  kinds: () => ['block'],
};

/** BlockPruner: attentions and MLPs on their own, anywhere; by itself it goes on until half of them are gone. */
export const blockPruner: SearchRecord = {
  id: 'block-pruner',
  label: 'BlockPruner',
  paper: 'Zhong et al. 2024, BlockPruner: Fine-grained Pruning for Large Language Models',
  units: (layers) => 2 * layers,
  unitOf: ({ layer, part }) => 2 * layer + (part === 'mlp' ? 1 : 0),
  barriers: { first: 0, last: 0 },
  most: (between) => 2 * between,
  limit: (layers) => layers,
  kinds: (layer) => subBlockKinds.filter((kind) => unitsInLayer(layer, kind) > 0),
};

export const searches: readonly SearchRecord[] = [sleb, blockPruner];

/** The search of a criterion, or null for criteria that score every unit once. */
export function searchOf(criterion: string): SearchRecord | null {
  return searches.find(({ id }) => id === criterion) ?? null;
}

/** Runs a search. @throws LabError 'bad-argument' for barriers and counts that the model cannot meet. */
export async function runSearch(record: SearchRecord, setting: SearchSetting): Promise<SearchStep[]> {
  const { layers, protectedBlocks, barriers = record.barriers } = setting;
  checkBarriers(barriers, layers.length);
  const { first, last } = barriers;
  // One unit has to stay, or nothing would be left of the model.
  const most = Math.min(record.most(layers.length - first - last), record.units(layers.length) - 1);
  const count = setting.count ?? Math.min(record.limit(layers.length), most);
  checkCount(record.label, count, most);
  const kept = new Set(protectedBlocks.map((block) => layers[block]!.source));
  return searchGreedily({
    ...setting,
    count,
    candidates: (remaining) =>
      remaining.flatMap((shape, layer) =>
        layer < first || layer >= remaining.length - last || kept.has(shape.source)
          ? []
          : record.kinds(shape).map((kind) => ({ layer, kind })),
      ),
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
