/** @file Checks of a search's options, before anything is measured. */
import { LabError } from '../../errors';
import type { Barriers } from '../types';

/** @throws LabError 'bad-argument' for an option that is not a whole number from `least` to `most` */
export function checkWhole(where: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new LabError(
    'bad-argument',
    `${where}: expected a whole number from ${least} to ${most}, got ${value}.`,
    'Give another number, or leave it out.',
  );
}

/** @throws LabError 'bad-argument' for barriers that leave a negative number of blocks */
export function checkBarriers({ first, last }: Barriers, layers: number): void {
  checkWhole('barriers.first', first, 0, layers);
  checkWhole('barriers.last', last, 0, layers - first);
}

/** @throws LabError 'bad-argument' for a count of units outside 1 … `most` */
export function checkCount(label: string, count: number, most: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= most) return;
  throw new LabError(
    'bad-argument',
    `count: ${label} removes 1 to ${most} units, got ${count}.`,
    'Give another count.',
  );
}
