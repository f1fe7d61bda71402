/** @file Which rule chose a plan of heads and neurons, in words. Pure. */
import type { WidthPlanRequest } from '../../lab/contract/types';
import { percent } from '../parts/format';
import { labelOfWidth } from '../width/widthLabels';

/** 'FLAP as published, 20% asked for', 'Wanda-sp block by block, 20% asked for, multiples of 32'. */
export function ruleText({ width, ratio, asPublished, sequential, roundTo, heads }: WidthPlanRequest): string {
  const way = sequential === undefined ? '' : sequential ? ' block by block' : ' on dense outputs';
  const rule = asPublished ? ' as published' : '';
  const parts = [
    `${labelOfWidth(width)}${way}${rule}`,
    `${percent(ratio)} asked for`,
    ...(roundTo ? [`multiples of ${roundTo}`] : []),
    ...(heads === 'within-groups' ? ['heads in each group'] : []),
  ];
  return parts.join(', ');
}
