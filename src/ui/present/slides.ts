/** @file The slides that a state has data for, in the order of the work. Pure. */
import type { LabState } from '../../lab/page/store';
import { joined } from '../../lab/page/subBlocks';
import { isEmptyPlan, type PruningPlan, samePlan } from '../../pruning/plan';
import { retrainedGroups } from '../../report/retrained';
import { type TaskGroup, taskGroups } from '../../report/taskGroups';
import { sideOf } from '../../report/verdict';
import { speedLines, variantPoints, waysOf } from '../charts/compare/variantPoints';
import { type LatencyBar, latencyBars, latencySeries } from '../charts/latencyData';
import { qualityPoints } from '../charts/qualityData';
import { evaluatedText } from '../now/current';

export const slideIds = [
  'model',
  'importance',
  'removed',
  'quality',
  'speed',
  'sides',
  'batches',
  'retraining',
  'tasks',
  'texts',
  'conclusion',
] as const;
export type SlideId = (typeof slideIds)[number];

const hasData: Readonly<Record<SlideId, (state: LabState) => boolean>> = {
  model: ({ model }) => model !== null,
  importance: (state) => scoredMode(state) !== null,
  removed: (state) => removedRows(state).length > 0,
  quality: (state) => qualityPoints(state).length > 1,
  speed: ({ comparison }) => {
    const [series] = latencySeries(comparison);
    return series !== undefined && latencyBars(comparison, series.key, null).length > 1;
  },
  sides: (state) => {
    const scored = pointsOf(state).filter(({ perplexity }) => perplexity !== null);
    const kinds = new Set(scored.map(({ kind }) => kind).filter((kind) => kind !== 'base'));
    return kinds.size > 1;
  },
  batches: (state) => {
    const [way] = waysOf(state.comparison);
    const lines = speedLines(state.comparison, pointsOf(state), way?.key);
    return new Set(lines.flatMap(({ points }) => points.map(({ batch }) => batch))).size > 1;
  },
  retraining: (state) => retrainedGroups(state.comparison, evaluatedText(state), state.base).length > 0,
  tasks: ({ comparison }) => askedMost(comparison) !== null,
  texts: ({ texts: { base, variant } }) => base !== null && variant !== null,
  conclusion: ({ model }) => model !== null,
};

/** The slides of a state; those without data are left out. */
export function slidesOf(state: LabState): SlideId[] {
  return slideIds.filter((id) => hasData[id](state));
}

/** The questions that the most variants were asked; null where there are not two to compare. */
export function askedMost(comparison: LabState['comparison']): TaskGroup | null {
  const groups = taskGroups(comparison).filter(({ rows }) => rows.length > 1);
  return groups.toSorted((a, b) => b.rows.length - a.rows.length)[0] ?? null;
}

/** The units whose scores the slide shows: those of the page, or the others where only these have any. */
export function scoredMode(
  state: Pick<LabState, 'scores' | 'subBlockScores' | 'unitMode'>,
): 'blocks' | 'subBlocks' | null {
  const hasBlocks = Object.values(state.scores).length > 0;
  const hasSubBlocks = Object.values(state.subBlockScores).some((parts) => joined(parts) !== null);
  if (hasSubBlocks && (state.unitMode === 'subBlocks' || !hasBlocks)) return 'subBlocks';
  return hasBlocks ? 'blocks' : null;
}

/** All variants as points of the comparison's charts, timed in the way and at the batch size that come first. */
export function pointsOf(state: Pick<LabState, 'comparison' | 'base'>) {
  const [way] = waysOf(state.comparison);
  const choice = { text: evaluatedText(state), way: way?.key, batch: way?.batches[0], shown: null, base: state.base };
  return variantPoints(state.comparison, choice);
}

/** A row of the slide with the removed units. */
export interface RemovedRow {
  readonly key: string;
  readonly name: string;
  readonly plan: PruningPlan;
  /** Share of the parameters that is kept, 0…1. */
  readonly kept: number;
}

/** The plan being edited, where it is no variant yet, and every variant with another plan than the rows before it. */
export function removedRows(
  state: Pick<LabState, 'comparison' | 'plan' | 'draft'>,
  most = Number.POSITIVE_INFINITY,
): RemovedRow[] {
  const rows: RemovedRow[] = [];
  const add = (row: RemovedRow): void => {
    if (!isEmptyPlan(row.plan) && !rows.some(({ plan }) => samePlan(plan, row.plan))) rows.push(row);
  };
  for (const { variant, name, plan, ratio } of state.comparison) add({ key: variant, name, plan, kept: 1 - ratio });
  const { plan, draft } = state;
  if (plan && draft && !rows.some((row) => samePlan(row.plan, plan))) {
    const edited = { key: 'edited', name: 'the plan being edited', plan, kept: 1 - draft.ratio };
    if (!isEmptyPlan(plan)) rows.unshift(edited);
  }
  return rows.length <= most ? rows : ofEachSide(rows, most);
}

/** The first rows of each side in turn (depth, width, both), in their order. */
function ofEachSide(rows: readonly RemovedRow[], most: number): RemovedRow[] {
  const chosen = new Set<RemovedRow>();
  const sides = (['depth', 'width', 'mixed'] as const).map((side) => rows.filter(({ plan }) => sideOf(plan) === side));
  for (let place = 0; chosen.size < most && place < rows.length; place++) {
    for (const side of sides) if (side[place] && chosen.size < most) chosen.add(side[place]);
  }
  return rows.filter((row) => chosen.has(row));
}

/** The base, what the page shows, the fastest of each kind, then the fastest others: as many as there is room for, in their order. */
export function chosenBars(bars: readonly LatencyBar[], most: number): LatencyBar[] {
  const byTime = [...bars].sort((a, b) => a.latencyMs - b.latencyMs);
  const fastest = new Set(byTime.filter((bar, at) => byTime.findIndex(({ kind }) => kind === bar.kind) === at));
  const place = (bar: LatencyBar): number => (bar.kind === 'base' ? 0 : bar.now ? 1 : fastest.has(bar) ? 2 : 3);
  const sorted = [...byTime].sort((a, b) => place(a) - place(b));
  const chosen = new Set(sorted.slice(0, most));
  return bars.filter((bar) => chosen.has(bar));
}
