/** @file Which rule chose a plan of heads and neurons, in short. Pure. */
import { ruleSentences, type WidthRule } from '../../pruning/widthRule';
import { percent } from '../parts/format';
import { labelOfWidth } from '../width/widthLabels';

/** 'FLAP as published, 20% asked for', 'Wanda-sp block by block, 20% asked for, multiples of 32', with the rule in sentences. */
export function ruleText(rule: WidthRule): { short: string; sentences: string } {
  const { method, ratio, asPublished, sequential, roundTo } = rule;
  const way = sequential === undefined ? '' : sequential ? ' block by block' : ' on original outputs';
  const parts = [
    `${labelOfWidth(method)}${way}${asPublished ? ' as published' : ''}`,
    `${percent(ratio)} asked for`,
    ...(roundTo ? [`multiples of ${roundTo}`] : []),
  ];
  return { short: parts.join(', '), sentences: ruleSentences(rule).join(' ') };
}
