/** @file Scores of heads and neurons + ratio → what stays. Pure: the numbers were measured elsewhere. */

/** How grouped-query attentions lose heads: whole key/value groups, or the same number of query heads in each group. */
export type HeadRemoval = 'groups' | 'within-groups';

/** Widths that hardware likes. */
export const widthMultiples = [8, 16, 32, 64] as const;
export type WidthMultiple = (typeof widthMultiples)[number];
