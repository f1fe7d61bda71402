/** @file The comparison's variants as points: perplexity, parameters removed, measured time per token. Pure. */
import { precisionLabel } from '../../../benchmark/precisionNames';
import { samePlan } from '../../../pruning/plan';
import type { ComparisonRow, LatencyResult, PerplexityResult } from '../../../report/results';
import { type Side, sideOf } from '../../../report/verdict';
import { rowPerplexity } from '../../now/current';
import { runtimeNames } from '../../parts/names';
import { overBase } from '../../parts/speedUp';

/** A runtime and the precision that it computed in. Times of different ways are never drawn together. */
export interface Way {
  readonly key: string;
  readonly label: string;
  /** Batch sizes that were timed, ascending. */
  readonly batches: readonly number[];
}

const wayKey = ({ runtime, precision = 'f32' }: LatencyResult): string => `${runtime}${precisionLabel[precision]}`;

/** All ways in which variants were timed. The way that timed most variants comes first. */
export function waysOf(rows: readonly ComparisonRow[]): Way[] {
  const ways = new Map<string, { label: string; batches: Set<number>; variants: number }>();
  for (const { latency } of rows) {
    const seen = new Set<string>();
    for (const result of latency) {
      const key = wayKey(result);
      const label = `${runtimeNames[result.runtime]}${precisionLabel[result.precision ?? 'f32']}`;
      const way = ways.get(key) ?? { label, batches: new Set(), variants: 0 };
      way.batches.add(result.batch);
      if (!seen.has(key)) way.variants += 1;
      seen.add(key);
      ways.set(key, way);
    }
  }
  return [...ways]
    .sort(([, a], [, b]) => b.variants - a.variants)
    .map(([key, { label, batches }]) => ({ key, label, batches: [...batches].sort((a, b) => a - b) }));
}

/** The newest result of a row in one way and batch size. */
function timeOf(row: ComparisonRow, way: string | undefined, batch: number | undefined): LatencyResult | null {
  return row.latency.findLast((result) => wayKey(result) === way && result.batch === batch) ?? null;
}

export const isRepaired = ({ recipe }: Pick<ComparisonRow, 'recipe'>): boolean =>
  recipe.some(({ kind }) => kind === 'repair');

/**
 * The row that a repaired row is compared with: the same plan without the repair. Its parent if that has the same plan,
 * otherwise any row with this plan and no weights of its own; null if there is none.
 */
export function beforeRepair(row: ComparisonRow, rows: readonly ComparisonRow[]): ComparisonRow | null {
  if (!isRepaired(row)) return null;
  const same = rows.filter((other) => !isRepaired(other) && samePlan(other.plan, row.plan));
  return same.find(({ variant }) => variant === row.parent) ?? same.find(({ recipe }) => isPlain(recipe)) ?? null;
}

const isPlain = (recipe: ComparisonRow['recipe']): boolean => recipe.every(({ kind }) => kind === 'prune');

/** The base, or what a variant removes. */
export type Kind = 'base' | Side;

/** What a mark shows: depth, width or both; before or after a repair. */
export interface Look {
  readonly kind: Kind;
  /** The variant is repaired, or has no repaired twin. A mark of a variant before its repair is hollow. */
  readonly filled: boolean;
}

export interface VariantPoint extends Look {
  /** Id of the variant. */
  readonly key: string;
  readonly name: string;
  /** 1, 2, … in the order of the comparison; stands for the name where there is no room for it. 0 for the base. */
  readonly number: number;
  readonly repaired: boolean;
  /** Id of the same variant before its repair; null if there is none. */
  readonly before: string | null;
  /** Percent of the parameters that are removed. */
  readonly removed: number;
  /** The parameters of the base divided by those of the variant. */
  readonly ideal: number;
  /** On the base's tokens; null if it was not measured on them, or is not finite. */
  readonly perplexity: number | null;
  readonly scored: PerplexityResult | null;
  readonly timed: LatencyResult | null;
  /** The page shows this variant. */
  readonly now: boolean;
}

export interface Choice {
  /** Hash of the tokens of the perplexities; null accepts any. */
  readonly text: string | null;
  readonly way: string | undefined;
  readonly batch: number | undefined;
  /** Id of the variant that the page shows. */
  readonly shown: string | null;
  /** The page's perplexity of the base, for a row without one. */
  readonly base?: PerplexityResult | null;
}

/** One point per row: the base first, then by kind (depth, width, mixed), each in the order of the comparison. */
export function variantPoints(
  rows: readonly ComparisonRow[],
  { text, way, batch, shown, base: known = null }: Choice,
): VariantPoint[] {
  const base = rows.find(({ variant }) => variant === 'base');
  const befores = new Map(rows.map((row) => [row.variant, beforeRepair(row, rows)?.variant ?? null]));
  const repairedLater = new Set(befores.values());
  const points = rows.map((row): Omit<VariantPoint, 'number'> => {
    const scored = rowPerplexity(row, text) ?? (row.variant === 'base' ? known : null);
    return {
      key: row.variant,
      name: row.variant === 'base' ? 'original model' : row.name,
      kind: kindOf(row),
      filled: !repairedLater.has(row.variant),
      repaired: isRepaired(row),
      before: befores.get(row.variant) ?? null,
      removed: row.ratio * 100,
      ideal: (base?.parameters ?? row.parameters) / row.parameters,
      perplexity: scored && Number.isFinite(scored.perplexity) ? scored.perplexity : null,
      scored,
      timed: timeOf(row, way, batch),
      now: row.variant === shown,
    };
  });
  return [...points].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)).map(numbered);
}

const order: readonly Kind[] = ['base', 'depth', 'width', 'mixed'];

/** A variant that removes nothing but has weights of its own is drawn like a depth variant that removes no block. */
export function kindOf({ variant, plan }: Pick<ComparisonRow, 'variant' | 'plan'>): Kind {
  return variant === 'base' ? 'base' : (sideOf(plan) ?? 'depth');
}

const numbered = (point: Omit<VariantPoint, 'number'>, index: number): VariantPoint => ({ ...point, number: index });

/**
 * Half the length of the whisker of a time per token, ms: the standard deviation of a run's latency, divided by its new
 * tokens.
 */
export function spreadPerToken({ spread, newTokens }: LatencyResult): number {
  return newTokens > 0 ? spread / newTokens : 0;
}

/** The speed-ups of one variant over the base. */
export interface SpeedLine extends Pick<VariantPoint, 'key' | 'name' | 'number' | 'kind' | 'filled' | 'ideal' | 'now'> {
  readonly points: readonly SpeedPoint[];
}

export interface SpeedPoint {
  readonly batch: number;
  /** How many times as fast as the base, with its 95 % interval. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly result: LatencyResult;
}

/** One line per variant that was timed together with the base in this way; larger batches to the right. */
export function speedLines(
  rows: readonly ComparisonRow[],
  points: readonly VariantPoint[],
  way: string | undefined,
): SpeedLine[] {
  return points.flatMap((point): SpeedLine[] => {
    const row = rows.find(({ variant }) => variant === point.key);
    if (!row || point.kind === 'base') return [];
    const batches = [...new Set(row.latency.map(({ batch }) => batch))].sort((a, b) => a - b);
    const speeds = batches.flatMap((batch): SpeedPoint[] => {
      const result = timeOf(row, way, batch);
      const speedUp = result && overBase(result);
      if (!result || !speedUp || !Number.isFinite(speedUp.ratio)) return [];
      return [{ batch, ratio: speedUp.ratio, low: speedUp.low, high: speedUp.high, result }];
    });
    const { key, name, number, kind, filled, ideal, now } = point;
    return speeds.length === 0 ? [] : [{ key, name, number, kind, filled, ideal, now, points: speeds }];
  });
}

/** Ideal speed-ups that are drawn as one line. */
export interface IdealGroup {
  readonly low: number;
  readonly high: number;
}

/** Variants of nearly the same size share a line: a group ends where the next ideal is more than 4 % larger. */
export function idealGroups(ideals: readonly number[]): IdealGroup[] {
  const groups: IdealGroup[] = [];
  for (const ideal of [...ideals].sort((a, b) => a - b)) {
    const last = groups.at(-1);
    if (last && ideal <= last.high * 1.04) groups[groups.length - 1] = { low: last.low, high: ideal };
    else groups.push({ low: ideal, high: ideal });
  }
  return groups;
}
