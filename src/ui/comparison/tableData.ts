/** @file The rows of the comparison's table: what each variant is, and the order in which they stand. Pure. */
import { cacheBytes } from '../../model/count';
import type { ModelShape } from '../../model/shape';
import { describePlan } from '../../pruning/describe';
import { repairLabels } from '../../pruning/repairMethods';
import type { ComparisonRow, LatencyResult, PerplexityResult, Runtime } from '../../report/results';
import { beforeRepair, type Kind, kindOf } from '../charts/compare/variantPoints';
import { overBase } from '../parts/speedUp';

export const runtimes: readonly Runtime[] = ['wgsl', 'ort-wasm', 'ort-webgpu'];

export const kindNames: Readonly<Record<Kind, string>> = {
  base: '–',
  depth: 'depth',
  width: 'width',
  mixed: 'both',
};

export interface TableRow {
  readonly row: ComparisonRow;
  readonly kind: Kind;
  /** The same variant before its repair, where the table has it. */
  readonly before: ComparisonRow | null;
  /** 'ReplaceMe', '–'. */
  readonly repair: string;
  /** '1, 2, 5', '2 of 8 heads and 112 of 352 neurons per block', '–'. */
  readonly removed: string;
  /** Key/value cache of one sequence, bytes; null while the variant's shape is unknown. */
  readonly cache: number | null;
  /** Times at the chosen batch size, one per runtime and precision. */
  readonly timed: readonly LatencyResult[];
}

/** Tokens of the cache that the table tells: as in `lab.compare`, the model's context, at most 2048. */
export const cacheTokens = ({ maxPositions }: Pick<ModelShape, 'maxPositions'>): number => Math.min(maxPositions, 2048);

/** Everything that the table tells. `shapes`: by id of the variant; `batch`: null for all batch sizes. */
export function tableRows(
  comparison: readonly ComparisonRow[],
  base: ModelShape | null,
  shapes: ReadonlyMap<string, Pick<ModelShape, 'layers'>>,
  batch: number | null,
): TableRow[] {
  return comparison.map((row) => {
    const shape = shapes.get(row.variant);
    const repairs = row.recipe.flatMap((step) => (step.kind === 'repair' ? [repairLabels[step.method]] : []));
    return {
      row,
      kind: kindOf(row),
      before: beforeRepair(row, comparison),
      repair: [...new Set(repairs)].join(', ') || '–',
      removed: row.variant === 'base' || !base ? '–' : removedWords(row, base),
      cache: shape && base ? cacheBytes(shape, cacheTokens(base)) : null,
      timed: row.latency.filter((result) => batch === null || result.batch === batch),
    };
  });
}

function removedWords({ plan }: ComparisonRow, base: ModelShape): string {
  const words = describePlan(plan, base);
  const at = words.indexOf('without ');
  return at < 0 ? '–' : words.slice(at + 'without '.length);
}

/** All batch sizes that were timed, ascending. */
export function timedBatches(comparison: readonly ComparisonRow[]): number[] {
  return [...new Set(comparison.flatMap(({ latency }) => latency.map(({ batch }) => batch)))].sort((a, b) => a - b);
}

/** Runtimes that some row has a perplexity of: the table has a column for each. */
export function scoredRuntimes(comparison: readonly ComparisonRow[]): Runtime[] {
  return runtimes.filter((runtime) => comparison.some(({ perplexity }) => perplexity[runtime]));
}

/** The perplexity of the variant before its repair, on the same tokens by the same runtime. */
export function perplexityBefore(before: ComparisonRow | null, after: PerplexityResult): PerplexityResult | null {
  const result = before?.perplexity[after.runtime];
  return result && result.text.hash === after.text.hash ? result : null;
}

export type SortKey = 'kind' | 'kept' | 'cache' | 'perplexity' | 'decode' | 'latency' | 'speedUp';

export interface Sorting {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** Null stands behind every number, in either direction. */
function numberOf({ row, cache, timed }: TableRow, key: SortKey): number | null {
  const first = timed[0];
  if (key === 'kept') return 1 - row.ratio;
  if (key === 'cache') return cache;
  if (key === 'perplexity') return runtimes.flatMap((runtime) => row.perplexity[runtime] ?? [])[0]?.perplexity ?? null;
  if (!first) return null;
  if (key === 'decode') return first.decodeMsPerToken;
  return key === 'latency' ? first.latencyMs : (overBase(first)?.ratio ?? null);
}

const kinds: readonly Kind[] = ['base', 'depth', 'width', 'mixed'];

/**
 * The base first, then the others by a column. By 'kind': depth, width, both; within a kind in the order of the comparison, and a
 * repaired variant right below the one that it repairs.
 */
export function sorted(rows: readonly TableRow[], { key, descending }: Sorting): TableRow[] {
  const base = rows.filter(({ kind }) => kind === 'base');
  const others = rows.filter(({ kind }) => kind !== 'base');
  if (key === 'kind') return [...base, ...byKind(others, descending)];
  const sign = descending ? -1 : 1;
  const compare = (a: TableRow, b: TableRow): number => {
    const [first, second] = [numberOf(a, key), numberOf(b, key)];
    if (first === null || second === null) return Number(first === null) - Number(second === null);
    return sign * (first - second);
  };
  return [...base, ...others.sort(compare)];
}

function byKind(rows: readonly TableRow[], descending: boolean): TableRow[] {
  const order = descending ? kinds.toReversed() : kinds;
  return order.flatMap((kind) => {
    const own = rows.filter((each) => each.kind === kind);
    const below = ({ row }: TableRow): TableRow[] => own.filter(({ before }) => before?.variant === row.variant);
    return own.flatMap((each) => (isBelow(each, own) ? [] : [each, ...below(each)]));
  });
}

/** Whether a row stands right below the row that it repairs. */
export function isBelow({ before }: TableRow, rows: readonly TableRow[]): boolean {
  return before !== null && rows.some(({ row }) => row.variant === before.variant);
}
