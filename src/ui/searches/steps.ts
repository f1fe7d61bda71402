/** @file A search's steps as the page writes and counts them. Pure. */

import type { EvolutionState, ModelUnit, SearchStep } from '../../importance/search/found';
import type { Barriers } from '../../importance/types';
import type { TaskState, UnitMode } from '../../lab/page/store';
import { subBlockIndex } from '../../lab/page/subBlocks';
import type { EvolutionResult, SearchResult } from '../../report/searches';
import { unitName, unitShort } from '../strip/ranks';

function unitOf({ layer, part }: ModelUnit): { mode: UnitMode; index: number } {
  return part === 'block'
    ? { mode: 'blocks', index: layer }
    : { mode: 'subBlocks', index: subBlockIndex({ block: layer, part }) };
}

/** '7', '7a', '7m'. */
export function stepShort(step: ModelUnit): string {
  const { mode, index } = unitOf(step);
  return unitShort(mode, index);
}

/** 'block 7', 'attention of block 7'. */
export function stepName(step: ModelUnit): string {
  const { mode, index } = unitOf(step);
  return unitName(mode, index);
}

/** The step, from 1, that removed each block or half; those that stayed are absent. */
export function stepNumbers(steps: readonly SearchStep[]): ReadonlyMap<number, number> {
  return new Map(steps.map((step, position) => [unitOf(step).index, position + 1]));
}

/** What barriers kept, as a sentence: 'The first block and the last 2 that remained were kept. '; '' for none. */
export function endsText({ first, last }: Barriers, of = 'of those that remained'): string {
  const ends = [first > 0 ? `the first ${first}` : '', last > 0 ? `the last ${last}` : ''].filter((end) => end !== '');
  if (ends.length === 0) return '';
  const text = ends.join(' and ');
  return `${text[0]!.toUpperCase()}${text.slice(1)} ${of} were kept. `;
}

const none: readonly SearchStep[] = [];

/** The steps that a search shows: of the run under way, else of the last one. */
export function shownSteps(task: TaskState, result: SearchResult | undefined): readonly SearchStep[] {
  if (task.phase === 'running') return task.progress?.found ?? none;
  return result?.steps ?? none;
}

/** A set's units as the strip counts them: blocks, or halves. */
export function unitsOf(units: readonly ModelUnit[]): { mode: UnitMode; removed: ReadonlySet<number> } {
  const found = units.map(unitOf);
  return { mode: found[0]?.mode ?? 'blocks', removed: new Set(found.map(({ index }) => index)) };
}

/** What an evolutionary search shows: the run under way once it has a set, else the last one. */
export function shownEvolution(task: TaskState, result: EvolutionResult | null): EvolutionState | null {
  if (task.phase === 'running') return task.progress?.evolution ?? null;
  return result && result.trace.length > 0 ? result : null;
}
