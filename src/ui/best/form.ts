/** @file What the form of the search under a budget holds, and the request that it makes. Pure. */
import type { BestChoice } from '../../lab/page/commands/best';
import { type SizeUnit, sizeUnits } from '../../pruning/budget/sizes';

/** How an amount is meant. */
export type Meant = 'share' | 'absolute';

/** A budget as it is typed; null where it is left empty. */
export interface Amount {
  readonly value: number | null;
  /** 'share': percent of the base. 'absolute': milliseconds or kilobytes. */
  readonly meant: Meant;
}

export interface BestForm {
  readonly time: Amount;
  readonly cache: Amount;
  /** Percent of all parameters to remove; null where it is left empty. */
  readonly removed: number | null;
  readonly units: readonly SizeUnit[];
}

/** Four fifths of the base's time. */
export const firstForm: BestForm = {
  time: { value: 80, meant: 'share' },
  cache: { value: null, meant: 'share' },
  removed: null,
  units: sizeUnits,
};

export const unitLabels: Readonly<Record<SizeUnit, string>> = {
  block: 'Blocks',
  attention: 'Attentions',
  mlp: 'MLPs',
  kvGroup: 'Key/value groups',
  neuron: 'Neurons',
};

const isSet = (value: number | null): value is number => value !== null;

/** Why a form makes no request; null if it does. */
export function formFault({ time, cache, removed, units }: BestForm): string | null {
  const amounts = [time.value, cache.value, removed].filter(isSet);
  if (amounts.length === 0) return 'Enter at least one budget.';
  if (amounts.some((value) => !(value > 0))) return 'Enter budgets above zero.';
  const shares = [time, cache].flatMap(({ value, meant }) => (meant === 'share' && isSet(value) ? [value] : []));
  if (shares.some((value) => value >= 100) || (removed ?? 0) >= 100) return 'Enter less than 100 %.';
  if (units.length === 0) return 'Choose at least one kind of unit.';
  return null;
}

/** The request of a form. */
export function requestOf({ time, cache, removed, units }: BestForm): BestChoice {
  const share = ({ value, meant }: Amount) => (meant === 'share' && isSet(value) ? value / 100 : null);
  const absolute = ({ value, meant }: Amount) => (meant === 'absolute' ? value : null);
  const [msShare, cacheShare] = [share(time), share(cache)];
  const [msPerToken, kilobytes] = [absolute(time), absolute(cache)];
  return {
    ...(msShare === null ? {} : { msShare }),
    ...(msPerToken === null ? {} : { msPerToken }),
    ...(cacheShare === null ? {} : { cacheShare }),
    ...(kilobytes === null ? {} : { cacheBytes: kilobytes * 1000 }),
    ...(removed === null ? {} : { ratio: removed / 100 }),
    ...(units.length === sizeUnits.length ? {} : { units: sizeUnits.filter((unit) => units.includes(unit)) }),
  };
}
