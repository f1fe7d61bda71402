/** @file A user's bound on the GPU's memory: what counts as one, and where it is kept between visits. */
import { LabError } from '../../errors';
import { show } from '../../model/configFields';

const leastBytes = 1e6;
const mostBytes = 2 ** 43;
const key = 'secateur.memoryBytes';

const inRange = (bytes: number): boolean => bytes >= leastBytes && bytes <= mostBytes;

/** Throws 'bad-argument' where it is neither a number of bytes nor null. */
export function checkBudget(bytes: number | null): void {
  if (bytes === null || (typeof bytes === 'number' && inRange(bytes))) return;
  throw new LabError(
    'bad-argument',
    `memory: expected ${leastBytes} to ${mostBytes} bytes, or null for no limit, got ${show(bytes)}.`,
    'Pass another number of bytes.',
  );
}

/** The bound of an earlier visit; null where there is none that makes sense. */
export function savedBudget(): number | null {
  try {
    const bytes = Number(localStorage.getItem(key) ?? Number.NaN);
    return inRange(bytes) ? bytes : null;
  } catch {
    return null; // storage switched off: as much as the GPU gives
  }
}

export function saveBudget(bytes: number | null): void {
  try {
    if (bytes === null) localStorage.removeItem(key);
    else localStorage.setItem(key, String(bytes));
  } catch {
    return; // storage switched off: it holds for this visit
  }
}
