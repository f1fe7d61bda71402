/** @file The methods that a comparison names: criteria for blocks, width methods for heads and neurons. */
import { LabError } from '../../errors';
import { type CriterionEntry, criteria, type WidthEntry, widthMethods } from '../../importance/methods';
import { formatBytes } from '../../io/storage';
import { isRepairMethod, repairLabels } from '../../pruning/repairMethods';
import type { WidthMultiple } from '../../pruning/widthRule';
import type { Budget, PlanRequest, RepairChoice } from '../contract/types';

export type ComparedMethod = DepthMethod | WidthMethod;

interface DepthMethod {
  readonly kind: 'depth';
  /** As in the request. */
  readonly asked: string;
  readonly record: CriterionEntry;
  /** Protects the first four and the last two blocks. */
  readonly plus: boolean;
}

interface WidthMethod {
  readonly kind: 'width';
  readonly asked: string;
  readonly record: WidthEntry;
  readonly roundTo?: WidthMultiple;
}

/** 'taylor+' → Taylor with the + rule, 'flap' → FLAP, 'width:random' → the width method. @throws LabError 'bad-argument' */
function methodOf(asked: string): ComparedMethod {
  const isWidth = asked.startsWith('width:');
  const plus = asked.endsWith('+');
  const id = asked.slice(isWidth ? 'width:'.length : 0, plus ? -1 : undefined);
  const criterion = isWidth ? undefined : criteria.find((record) => record.id === id);
  if (criterion) return { kind: 'depth', asked, record: criterion, plus };
  const width = plus ? undefined : widthMethods.find((record) => record.id === id);
  if (width) return { kind: 'width', asked, record: width };
  const both = widthMethods.map(
    (record) => (criteria.some((each) => each.id === record.id) ? 'width:' : '') + record.id,
  );
  throw new LabError(
    'bad-argument',
    `methods: expected criteria (${criteria.map((record) => record.id).join(', ')}) or width methods (${both.join(', ')}), got '${asked}'.`,
    "Check the spelling; only criteria take a '+'.",
  );
}

/** Each method once, and each width method once more for each rounding. */
export function methodsOf(asked: readonly string[], roundTo: readonly WidthMultiple[] = []): ComparedMethod[] {
  const rounded = (method: ComparedMethod): ComparedMethod[] =>
    method.kind === 'depth' ? [] : [...new Set(roundTo)].map((each) => ({ ...method, roundTo: each }));
  return [...new Set(asked)].map(methodOf).flatMap((method) => [method, ...rounded(method)]);
}

/** The plan of a method that removes a share of the parameters. */
export function requestOf(method: ComparedMethod, ratio: number): PlanRequest {
  if (method.kind === 'depth') return { criterion: method.record.id, ratio, plus: method.plus };
  const { record, roundTo } = method;
  return { width: record.id, ratio, ...(roundTo === undefined ? {} : { roundTo }) };
}

/** 'Taylor+', 'FLAP, rounded to 32'. */
export function labelOf(method: ComparedMethod): string {
  if (method.kind === 'depth')
    return `${method.record.id === 'ppl' ? 'PPL' : method.record.label}${method.plus ? '+' : ''}`;
  const { record, roundTo } = method;
  const label = record.id === 'random' ? 'Random width' : record.label;
  return roundTo === undefined ? label : `${label}, rounded to ${roundTo}`;
}

/** 'Taylor+ 20 %', 'FLAP ≤ 3 ms, rounded to 32', 'PPL 20 %, ReplaceMe': the name of a method's variant under a budget. */
export function variantName(method: ComparedMethod, budget: Budget, repair: RepairChoice | undefined): string {
  const [label, ...rest] = labelOf(method).split(', ');
  const mended = isRepairMethod(repair) ? [repairLabels[repair]] : [];
  return [`${label} ${budgetText(budget)}`, ...rest, ...mended].join(', ');
}

function budgetText({ ratio, bytes, msPerToken }: Budget): string {
  if (ratio !== undefined) return `${Number((100 * ratio).toFixed(2))} %`;
  return bytes === undefined ? `≤ ${msPerToken} ms` : `≤ ${formatBytes(bytes)}`;
}

/** How one combined pass serves methods that are still to be measured; null where it serves fewer than two of them. */
export function surveyFor(methods: readonly ComparedMethod[]): { plus: boolean; width: boolean } | null {
  const inPass = methods.filter(
    ({ record }) => record.needs === 'gpu' && (record.kind === 'score' || record.kind === 'width') && record.combined,
  );
  const plus = inPass.some((method) => method.kind === 'depth' && method.plus);
  const served = inPass.filter((method) => method.kind === 'width' || method.plus === plus);
  const ids = new Set(served.map(({ record }) => record.id));
  return ids.size < 2 ? null : { plus, width: served.some(({ kind }) => kind === 'width') };
}
