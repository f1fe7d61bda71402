/** @file Checks that the numbers of a measurement are finite before they are returned. */
import type { ColumnSums } from '../../numerics/columnSums';
import type { CombinedPass } from './combinedPass';
import type { Outcome } from './nonFinite';
import type { Score } from './score';
import type { BlockStatistics, SubBlockInfluence } from './statistics';
import type { Taylor } from './taylor';
import type { BySubBlock, WidthStatistics } from './width';

/** Each of them. */
export const all = (numbers: Iterable<number>): Outcome => ({ numbers, need: 'all' });

/** Some: each speaks of another variant, of which one may be broken. */
export const any = (numbers: Iterable<number>): Outcome => ({ numbers, need: 'any' });

/** Not finite where one of the values is not. */
const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
const sums = ({ absolute, squares }: ColumnSums): number => sum(absolute) + sum(squares);

export const columnsOutcome = (columns: readonly BySubBlock<ColumnSums>[]): Outcome =>
  all(
    columns.flatMap(({ attention, mlp }) => [attention, mlp].flatMap((subBlock) => (subBlock ? [sums(subBlock)] : []))),
  );

const widthTotals = ({ layers }: WidthStatistics): number[] =>
  layers.flatMap(({ attention, mlp }) =>
    [attention, mlp].flatMap((subBlock) =>
      subBlock ? [sum(subBlock.mean), sum(subBlock.deviations), sums(subBlock.columns)] : [],
    ),
  );
export const widthOutcome = (found: WidthStatistics): Outcome => all(widthTotals(found));

const taylorTotals = ({ layers }: Taylor): number[] => layers.map(({ total }) => total);
export const taylorOutcome = (found: Taylor): Outcome => all(taylorTotals(found));

export const scoreOutcome = ({ sumNll }: Score): Outcome => ({ numbers: sumNll, need: 'all', bySequence: true });

export const statisticsOutcome = ({ influence }: BlockStatistics): Outcome => all(influence);

export const subBlocksOutcome = ({ attention, mlp }: SubBlockInfluence): Outcome => all([...attention, ...mlp]);

export const combinedOutcome = ({ taylor, statistics, magnitudes, width }: CombinedPass): Outcome =>
  all([...taylorTotals(taylor), ...statistics.influence, ...magnitudes, ...(width ? widthTotals(width) : [])]);
