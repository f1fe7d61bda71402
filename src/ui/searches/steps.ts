/** @file How the page names and numbers the steps of a search. Pure. */

import { indexOf } from '../../importance/numbering';
import type { EvolutionState, SearchStep } from '../../importance/search/found';
import type { Barriers } from '../../importance/types';
import type { DepthMode, TaskState } from '../../lab/page/store';
import { type UnitJson, unitOfJson } from '../../model/unit';
import type { EvolutionResult, SearchResult } from '../../report/searches';
import { unitName, unitShort } from '../strip/ranks';

function indexed(step: UnitJson): { mode: DepthMode; index: number } {
  const unit = unitOfJson(step);
  return unit.kind === 'block'
    ? { mode: 'blocks', index: unit.layer }
    : { mode: 'subBlocks', index: indexOf('half', unit) };
}

/** '7', '7a', '7m'. */
export function stepShort(step: UnitJson): string {
  const { mode, index } = indexed(step);
  return unitShort(mode, index);
}

/** 'block 7', 'attention of block 7'. */
export function stepName(step: UnitJson): string {
  const { mode, index } = indexed(step);
  return unitName(mode, index);
}

/** The number of the step, from 1, that removed each block or sub-block; units that were kept are absent. */
export function stepNumbers(steps: readonly SearchStep[]): ReadonlyMap<number, number> {
  return new Map(steps.map((step, position) => [indexed(step).index, position + 1]));
}

/** The barriers as a sentence: 'The first 1 and the last 2 of the remaining blocks were kept. '; '' for none. */
export function endsText({ first, last }: Barriers, of = 'of the remaining blocks'): string {
  const ends = [first > 0 ? `the first ${first}` : '', last > 0 ? `the last ${last}` : ''].filter((end) => end !== '');
  if (ends.length === 0) return '';
  const text = ends.join(' and ');
  return `${text[0]!.toUpperCase()}${text.slice(1)} ${of} were kept. `;
}

const none: readonly SearchStep[] = [];

/** The steps that the page shows: those of the running search, else those of the last one. */
export function shownSteps(task: TaskState, result: SearchResult | undefined): readonly SearchStep[] {
  if (task.phase === 'running') return task.progress?.found ?? none;
  return result?.steps ?? none;
}

/** The units of a set as the strip counts them: by block or by sub-block. */
export function columnsOf(units: readonly UnitJson[]): { mode: DepthMode; removed: ReadonlySet<number> } {
  const found = units.map(indexed);
  return { mode: found[0]?.mode ?? 'blocks', removed: new Set(found.map(({ index }) => index)) };
}

/** The state that the page shows: that of the running search once it has a set, else that of the last one. */
export function shownEvolution(task: TaskState, result: EvolutionResult | null): EvolutionState | null {
  if (task.phase === 'running') return task.progress?.evolution ?? null;
  return result && result.trace.length > 0 ? result : null;
}
