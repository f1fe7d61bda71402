/** @file A plan in words. */
import { widthMethodOf } from '../importance/methods';
import type { LayerShape, ModelShape } from '../model/shape';
import { isEmptyPlan, type KeptWidth, keptOf, type PruningPlan, removedByKind, removesWidth } from './plan';
import { blockRanges } from './widthRule';

/** Longest name of a plan that removes heads or neurons, in characters: the table of variants has no room for more. */
const longest = 60;

const sizeOf = { keepHeads: 'heads', keepNeurons: 'ffn' } as const satisfies Record<keyof KeptWidth, keyof LayerShape>;
const nounOf = { keepHeads: 'heads', keepNeurons: 'neurons' } as const;
type List = keyof typeof sizeOf;

/**
 * A short name for what a plan removes of a model: 'without 5, 6', 'without attention 3', 'without 2 of 8 heads and 43 of 172
 * neurons per block'. In front the name of the width method that chose them: `method`, or the one that the plan tells.
 */
export function describePlan(plan: PruningPlan, shape: Pick<ModelShape, 'layers'>, method = methodOf(plan)): string {
  const prefix = method === undefined ? '' : `${method}: `;
  if (isEmptyPlan(plan)) return 'original model';
  const depth = depthWords(plan);
  if (!removesWidth(plan)) return `${prefix}without ${depth.list}`;
  const shares = shareWords(plan, shape);
  const both = (a: string, b: string, between: string): string => [a, b].filter((part) => part !== '').join(between);
  const names = [
    ...perBlockWords(plan, shape).map((words) => `without ${words}`),
    `without ${both(depth.list, shares, '; ')}`,
    `without ${both(depth.ranges, shares, '; ')}`,
    `without ${both(depth.counts, shares, ', ')}`,
  ].map((words) => prefix + words);
  return names.find(({ length }) => length <= longest) ?? names.at(-1)!;
}

const methodOf = ({ rule }: PruningPlan): string | undefined => rule && widthMethodOf(rule.method).label;

const counted = (count: number, noun: string): string =>
  count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Blocks and sub-blocks that a plan removes: all of them by index, by ranges of indices, and how many. */
function depthWords(plan: PruningPlan): Record<'list' | 'ranges' | 'counts', string> {
  const [blocks, attentions, mlps] = removedByKind(plan);
  const listed = (words: (layers: readonly number[]) => string): string => {
    const parts = [
      words(blocks),
      attentions.length > 0 ? `attention ${words(attentions)}` : '',
      mlps.length > 0 ? `MLP ${words(mlps)}` : '',
    ];
    return parts.filter((part) => part !== '').join('; ');
  };
  const counts = [
    counted(blocks.length, 'block'),
    counted(attentions.length, 'attention'),
    counted(mlps.length, 'MLP'),
  ];
  return {
    list: listed((layers) => layers.join(', ')),
    ranges: listed(blockRanges),
    counts: counts.filter((words) => words !== '').join(', '),
  };
}

/** What each list of a plan leaves out of the blocks that it speaks of: [removed, of so many], by block of the base. */
function removedOf(plan: PruningPlan, { layers }: Pick<ModelShape, 'layers'>, list: List): [number, number][] {
  const gone = new Set([...plan.removeBlocks, ...(list === 'keepHeads' ? plan.removeAttention : plan.removeMlp)]);
  return layers.flatMap((layer, index): [number, number][] => {
    const size = layer[sizeOf[list]];
    if (size === 0 || gone.has(index)) return [];
    return [[size - (keptOf(plan, list, index)?.length ?? size), size]];
  });
}

/** '2 of 8 heads and 43 of 172 neurons per block', where that is so in every block and the plan removes nothing else. */
function perBlockWords(plan: PruningPlan, shape: Pick<ModelShape, 'layers'>): string[] {
  if (removedByKind(plan).some((layers) => layers.length > 0)) return [];
  const parts: string[] = [];
  for (const list of ['keepHeads', 'keepNeurons'] as const) {
    if (plan[list] === undefined) continue;
    const [first, ...others] = removedOf(plan, shape, list);
    if (first === undefined || others.some(([gone, size]) => gone !== first[0] || size !== first[1])) return [];
    parts.push(`${first[0]} of ${first[1]} ${nounOf[list]}`);
  }
  return [`${parts.join(' and ')} per block`];
}

/** '12 % of heads, 30 % of neurons': of those in blocks that stay. */
function shareWords(plan: PruningPlan, shape: Pick<ModelShape, 'layers'>): string {
  const parts = (['keepHeads', 'keepNeurons'] as const).flatMap((list) => {
    if (plan[list] === undefined) return [];
    const counts = removedOf(plan, shape, list);
    const [gone, size] = [0, 1].map((at) => counts.reduce((sum, pair) => sum + pair[at]!, 0));
    const percent = (100 * gone!) / size!;
    return [`${percent < 1 ? '< 1' : Math.round(percent)} % of ${nounOf[list]}`];
  });
  return parts.join(', ');
}
