/** @file Scores of a variant, in indices of the base. */
import { LabError } from '../../errors';
import type { CriterionEntry } from '../../importance/methods';
import type { ModelShape } from '../../model/shape';
import { type DepthKind, hasUnit } from '../../model/unit';
import { baseViewId } from '../../model/view';
import type { ImportanceOptions } from '../contract/types';

export const isVariant = ({ of = baseViewId }: Pick<ImportanceOptions, 'of'>): boolean => of !== baseViewId;

/** Refuses what speaks of the base alone. Throws 'not-available'. */
export function checkVariant(record: CriterionEntry, { of = baseViewId, window: span = 1 }: ImportanceOptions): void {
  if (of === baseViewId) return;
  if (record.kind !== 'score') {
    throw new LabError(
      'not-available',
      `of: '${record.id}' searches in the original model only, got '${of}'.`,
      "Score the variant by a criterion such as 'ppl', or leave 'of' out.",
    );
  }
  if (span === 1) return;
  throw new LabError(
    'not-available',
    `of and window: blocks that follow one another in '${of}' need not do so in the original model, whose indices the scores have; got window ${span}.`,
    "Leave 'window' out.",
  );
}

/** One score per block of the base; NaN where the variant lacks the unit. */
export function overBase(base: ModelShape, of: ModelShape, unit: DepthKind, scores: readonly number[]): number[] {
  const places = new Map(of.layers.map(({ source }, at) => [source, at]));
  return base.layers.map(({ source }) => {
    const at = places.get(source);
    return at !== undefined && hasUnit(of.layers, { kind: unit, layer: at }) ? scores[at]! : Number.NaN;
  });
}
