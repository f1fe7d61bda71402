/** @file The criteria that the page offers, from the registry of methods. */
import { type Criterion, criteria, type ScoreEntry, type ScoreId, scoreMethods } from '../../importance/methods';
import type { DepthMode } from '../../lab/page/store';

export interface MenuItem extends Pick<ScoreEntry, 'label' | 'needs' | 'meaning'> {
  readonly id: ScoreId;
}

/** Criteria that score blocks. */
export const menu: readonly MenuItem[] = scoreMethods.filter(({ units }) => units.includes('block'));

/** Criteria that score attentions and MLPs. */
export const subBlockMenu: readonly MenuItem[] = scoreMethods
  .filter(({ units }) => units.includes('attention') && units.includes('mlp'))
  .map((method) => ({ ...method, meaning: method.subBlockMeaning ?? method.meaning }));

/** The criteria that score the given units. */
export function menuOf(mode: DepthMode): readonly MenuItem[] {
  return mode === 'blocks' ? menu : subBlockMenu;
}

/** What a criterion's numbers mean. */
export function meaningOf(mode: DepthMode, criterion: Criterion): string {
  return [...menuOf(mode), ...criteria].find(({ id }) => id === criterion)?.meaning ?? '';
}
