/** @file The groups of retrained variants as marks, axes and a table. Pure. */
import type { RetrainedGroup, Training } from '../../../report/retrained';
import { bestOf, trainingOrder } from '../../../report/retrained';
import { integer, percent, perplexity } from '../../parts/format';
import { planText } from '../../parts/names';
import { shortMethod } from '../../retrain/methods';
import { duration } from '../../retrain/words';
import type { ChartTable } from '../frame/tableTwin';
import { logAxis } from '../ticks';

export const trainingNames: Readonly<Record<Training, string>> = { pruned: 'pruned', ...shortMethod };

export interface RetrainedMark {
  /** Id of the variant. */
  readonly key: string;
  readonly training: Training;
  readonly perplexity: number;
  /** Place in its group, from −0.5 to 0.5. */
  readonly offset: number;
  /** The lowest perplexity of its group. */
  readonly best: boolean;
  readonly title: string;
  readonly lines: readonly string[];
}

export interface RetrainedColumn {
  readonly key: string;
  /** '23% removed'. */
  readonly label: string;
  /** 'without blocks 5 and 6'. */
  readonly name: string;
  readonly marks: readonly RetrainedMark[];
}

type Base = Parameters<typeof planText>[1];

/** One column for each pruned variant, with the best variant of each training in a fixed order. */
export function retrainedColumns(groups: readonly RetrainedGroup[], shape: Base): RetrainedColumn[] {
  const shown = shownTrainings(groups);
  return groups.map((group) => {
    const members = shown.flatMap((training) => bestOf(group, training) ?? []);
    const trained = members.filter(({ training }) => training !== 'pruned');
    const lowest = Math.min(...trained.map((each) => each.perplexity));
    return {
      key: group.key,
      label: group.ratio > 0 ? `${percent(group.ratio)} removed` : 'nothing removed',
      name: planText(group.plan, shape),
      marks: members.map((each, index) => ({
        ...{ key: each.variant, training: each.training, perplexity: each.perplexity },
        offset: (index - (members.length - 1) / 2) / shown.length,
        best: each.perplexity === lowest,
        title: `${trainingNames[each.training]}, ${percent(group.ratio)} removed`,
        lines: linesOf(each),
      })),
    };
  });
}

/** Trainings that some group has, in their order. */
export function shownTrainings(groups: readonly RetrainedGroup[]): Training[] {
  return trainingOrder.filter((training) => groups.some((group) => bestOf(group, training) !== null));
}

function linesOf({ perplexity: value, recovered, tokens, seconds }: RetrainedGroup['variants'][number]): string[] {
  const cost = [
    tokens === null ? '' : `${integer(tokens)} training tokens`,
    seconds === null ? '' : duration(seconds),
  ].filter((part) => part !== '');
  return [
    `perplexity ${perplexity(value)}`,
    ...(recovered === null ? [] : [`${percent(recovered)} of the lost likelihood won back`]),
    ...(cost.length > 0 ? [cost.join(', ')] : []),
  ];
}

/** A logarithmic axis around all perplexities and the base's. */
export function retrainedAxis(columns: readonly RetrainedColumn[], base: number | null) {
  return logAxis([
    ...columns.flatMap(({ marks }) => marks.map((mark) => mark.perplexity)),
    ...(base === null ? [] : [base]),
  ]);
}

/** Every variant, also those that are not the best of their training. */
export function retrainedTable(groups: readonly RetrainedGroup[], shape: Base, base: number | null): ChartTable {
  const minutes = (seconds: number): string => (seconds / 60).toFixed(1);
  return {
    head: ['variant', 'removed', 'training', 'perplexity', 'loss won back', 'steps', 'training tokens', 'minutes'],
    rows: [
      ...(base === null
        ? []
        : [{ key: 'base', cells: ['original model', percent(0), '–', perplexity(base), '–', '–', '–', '–'] }]),
      ...groups.flatMap(({ variants, ratio, plan }) =>
        variants.map((each) => ({
          key: each.variant,
          cells: [
            each.training === 'pruned' ? planText(plan, shape) : each.name,
            percent(ratio),
            trainingNames[each.training],
            perplexity(each.perplexity),
            each.recovered === null ? '–' : percent(each.recovered),
            each.training === 'pruned' ? '–' : integer(each.steps),
            each.tokens === null ? '–' : integer(each.tokens),
            each.seconds === null ? '–' : minutes(each.seconds),
          ],
        })),
      ),
    ],
  };
}
