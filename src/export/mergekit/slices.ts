/** @file The slices of a passthrough merge: runs of blocks that remain, with exclusive ends. */

/** [first, end) of a run of consecutive blocks. */
export type LayerRange = readonly [first: number, end: number];

/** The runs of blocks that remain of `blocks`, ascending. */
export function keptRanges(blocks: number, removed: readonly number[]): LayerRange[] {
  const gone = new Set(removed);
  const ranges: [number, number][] = [];
  for (let block = 0; block < blocks; block++) {
    if (gone.has(block)) continue;
    const last = ranges.at(-1);
    if (last?.[1] === block) last[1] = block + 1;
    else ranges.push([block, block + 1]);
  }
  return ranges;
}
