/** @file What the form of a comparison holds, and the request that it makes. Pure. */
import { type CriterionEntry, criteria, type WidthEntry, widthMethods } from '../../importance/methods';
import type { Budget, CompareRequest, RepairChoice } from '../../lab/contract/types';
import type { CompareChoice } from '../../lab/page/commands/compare';
import type { WidthMultiple } from '../../pruning/widthRule';

export type BudgetKind = keyof Budget;

export interface BudgetForm {
  readonly kind: BudgetKind;
  /** Percent, milliseconds or megabytes, by kind. */
  readonly amounts: Readonly<Record<BudgetKind, number>>;
  /** As `lab.compare` names them. */
  readonly methods: readonly string[];
  readonly repair: RepairChoice | 'plan';
  readonly batchSizes: readonly number[];
  /** Width methods get one more variant for each of these. */
  readonly roundTo: readonly WidthMultiple[];
}

/** A method that the form offers. */
export interface Offer {
  /** As `lab.compare` names it. */
  readonly id: string;
  readonly label: string;
  readonly paper: string;
}

/** Id of a width method in a request: a criterion of the same name has the plain id. */
const widthId = ({ id }: WidthEntry): string => (criteria.some((other) => other.id === id) ? `width:${id}` : id);
const offer = ({ id, label, paper }: CriterionEntry): Offer => ({ id, label, paper });

/** Depth methods: each criterion that scores blocks; Taylor and magnitude also with the + rule, as in the paper. */
export const depthOffers: readonly Offer[] = criteria
  .filter(({ units }) => units.some((unit) => unit === 'block'))
  .flatMap((method): Offer[] => {
    const plain = offer(method);
    if (method.id !== 'taylor' && method.id !== 'magnitude') return [plain];
    return [plain, { ...plain, id: `${method.id}+`, label: `${plain.label}+` }];
  });

export const widthOffers: readonly Offer[] = widthMethods.map((method) => ({
  id: widthId(method),
  label: method.label,
  paper: method.paper,
}));

export const batchOffers = [1, 2, 4, 8, 16] as const;

/** The values that a form begins with: those of a preset. */
export function formOf({ budget, methods, batchSizes = [1], roundTo = [] }: CompareRequest): BudgetForm {
  const amounts = { ratio: 20, msPerToken: 5, bytes: 10 };
  const kind = (['ratio', 'msPerToken', 'bytes'] as const).find((each) => budget[each] !== undefined) ?? 'ratio';
  const value = budget[kind] ?? 0;
  return {
    kind,
    amounts: { ...amounts, [kind]: kind === 'ratio' ? value * 100 : kind === 'bytes' ? value / 1e6 : value },
    methods,
    repair: 'plan',
    batchSizes,
    roundTo,
  };
}

/** Why a form makes no request; null if it does. */
export function formFault({ kind, amounts, methods, batchSizes }: BudgetForm): string | null {
  const amount = amounts[kind];
  if (!(amount > 0)) return 'Enter a budget above zero.';
  if (kind === 'ratio' && amount >= 100) return 'Enter less than 100 %: at least one block stays.';
  if (methods.length === 0) return 'Choose at least one method.';
  if (batchSizes.length === 0) return 'Choose at least one batch size.';
  return null;
}

/** The request of a form, with the counts of runs and tokens of a preset. */
export function requestOf(form: BudgetForm, preset: CompareRequest): CompareChoice {
  const { kind, amounts, methods, repair, batchSizes, roundTo } = form;
  const amount = kind === 'ratio' ? amounts.ratio / 100 : kind === 'bytes' ? amounts.bytes * 1e6 : amounts.msPerToken;
  const { promptTokens, newTokens, warmups, runs } = preset;
  return {
    budget: { [kind]: amount },
    methods: [...methods],
    batchSizes: [...batchSizes].sort((a, b) => a - b),
    ...(promptTokens === undefined ? {} : { promptTokens }),
    ...(newTokens === undefined ? {} : { newTokens }),
    ...(warmups === undefined ? {} : { warmups }),
    ...(runs === undefined ? {} : { runs }),
    ...(repair === 'plan' ? {} : { repair }),
    ...(roundTo.length === 0 ? {} : { roundTo: [...roundTo].sort((a, b) => a - b) }),
  };
}

/** A list with an item added or removed. */
export function toggled<T>(list: readonly T[], item: T): T[] {
  return list.includes(item) ? list.filter((each) => each !== item) : [...list, item];
}
