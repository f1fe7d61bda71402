/** @file Names in columns beside groups of points, each with a line to its point. Pure. */
import type { LabelRequest, PlacedLabel } from '../labels';
import { spreadOut } from './speedData';

export interface ColumnRequest extends LabelRequest {
  /** Half the width of the whisker, px. */
  readonly half: number;
}

interface Group {
  readonly members: readonly ColumnRequest[];
  readonly left: number;
  readonly right: number;
}

/** Points whose marks are nearer to each other than this share a column, px. */
const near = 36;
/** From the right edge of a group to its names, px. */
const away = 18;
const lineHeight = 14;
/** Radius of a mark, px. */
const radius = 8;

const groupOf = (members: readonly ColumnRequest[]): Group => ({
  members,
  left: Math.min(...members.map(({ x, half }) => x - Math.max(half, radius))),
  right: Math.max(...members.map(({ x, half }) => x + Math.max(half, radius))),
});

const merged = (a: Group, b: Group): Group => groupOf([...a.members, ...b.members]);

/**
 * Labels in columns: each group of points has its names at its right, from the highest point to the lowest. A group whose names
 * do not fit before the next group shares that one's column; the names of the last group may stand right of the plot.
 */
export function inColumns(
  requests: readonly ColumnRequest[],
  { top, bottom }: { readonly top: number; readonly bottom: number },
  widthOf: (text: string) => number,
): PlacedLabel[] {
  const groups: Group[] = [];
  for (const request of [...requests].sort((a, b) => a.x - b.x)) {
    const own = groupOf([request]);
    const last = groups.at(-1);
    if (last && own.left - last.right < near) groups[groups.length - 1] = merged(last, own);
    else groups.push(own);
  }
  const columns: Group[] = [];
  let waiting: Group | null = null;
  for (const [index, group] of groups.entries()) {
    const all: Group = waiting ? merged(waiting, group) : group;
    const next = groups[index + 1];
    const width = Math.max(...all.members.map(({ text }) => widthOf(text)));
    const fits = next === undefined || all.right + away + width + radius < next.left;
    if (fits) columns.push(all);
    waiting = fits ? null : all;
  }
  return columns.flatMap(({ members, right }) => {
    const ys = spreadOut(
      members.map(({ y }) => y + 4),
      lineHeight,
      top,
      bottom,
    );
    return members.map(({ half: _half, ...request }, index): PlacedLabel => {
      return { ...request, labelX: right + away, labelY: ys[index]!, anchor: 'start' };
    });
  });
}
