/** @file The names of the repairs that need no training. Names only, so that plans and the page can check them. */

/**
 * 'flap-bias': biases that stand in for the means of removed heads and neurons. 'prune-and-comp': factors that give the
 * hidden state its size back after removed blocks. 'replace-me': a matrix in the block before the cut, by least squares.
 */
export const repairMethods = ['flap-bias', 'prune-and-comp', 'replace-me'] as const;
export type RepairMethod = (typeof repairMethods)[number];

export function isRepairMethod(value: unknown): value is RepairMethod {
  return repairMethods.some((method) => method === value);
}

/** What the page and names of variants call the repairs. */
export const repairLabels: Readonly<Record<RepairMethod, string>> = {
  'flap-bias': 'FLAP’s biases',
  'prune-and-comp': 'Prune&Comp',
  'replace-me': 'ReplaceMe',
};
