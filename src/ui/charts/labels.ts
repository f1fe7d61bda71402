/** @file Places labels beside points without overlap. Pure. */

export interface LabelRequest {
  key: string;
  text: string;
  /** The point, in pixels. */
  x: number;
  y: number;
}

export interface PlacedLabel extends LabelRequest {
  /** Anchor of the text: its start, end or middle, and its baseline. */
  labelX: number;
  labelY: number;
  anchor: 'start' | 'end' | 'middle';
}

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const lineHeight = 14;
const gap = 13;

const overlaps = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Candidate places around a point, the preferred one first. */
function candidates(request: LabelRequest, reach: number): PlacedLabel[] {
  const { x, y } = request;
  const at = (labelX: number, labelY: number, anchor: PlacedLabel['anchor']): PlacedLabel => ({
    ...request,
    labelX,
    labelY,
    anchor,
  });
  const middle = y + 4;
  const sides = [at(x + gap, middle, 'start'), at(x - gap, middle, 'end')];
  const stacked = [at(x, y - gap - 2, 'middle'), at(x, y + gap + lineHeight - 3, 'middle')];
  const steps = Array.from({ length: reach }, (_, index) => index + 1);
  const corners = steps.flatMap((step) => {
    const away = gap + 5 * Math.max(0, step - 3); // room for a line to the point
    return [
      at(x + away, middle - step * lineHeight, 'start'),
      at(x + away, middle + step * lineHeight, 'start'),
      at(x - away, middle - step * lineHeight, 'end'),
      at(x - away, middle + step * lineHeight, 'end'),
    ];
  });
  return [...sides, ...stacked, ...corners];
}

function boxOf(label: PlacedLabel, width: number): Box {
  const left =
    label.anchor === 'start' ? label.labelX : label.anchor === 'end' ? label.labelX - width : label.labelX - width / 2;
  return { left, right: left + width, top: label.labelY - lineHeight + 3, bottom: label.labelY + 3 };
}

/** Small boxes along the line through the points, in order; labels should not cover them. */
export function alongLine(points: readonly { x: number; y: number }[], step = 8): Box[] {
  return points.slice(1).flatMap((to, index) => {
    const from = points[index]!;
    const count = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / step));
    return Array.from({ length: count + 1 }, (_, i) => {
      const x = from.x + ((to.x - from.x) * i) / count;
      const y = from.y + ((to.y - from.y) * i) / count;
      return { left: x - 1, right: x + 1, top: y - 1, bottom: y + 1 };
    });
  });
}

/** Options of a chart whose labels may be far from their points, each with a line to its point. */
export interface Reach {
  /** How many lines above or below its point a label may be. */
  readonly lines: number;
}

/** The line from a point to its label. */
export function lineTo({ x, y, labelX, labelY, anchor }: PlacedLabel): [from: Spot, to: Spot] {
  return [
    { x, y },
    { x: labelX + (anchor === 'start' ? -2 : anchor === 'end' ? 2 : 0), y: labelY - 4 },
  ];
}

/** The line to a label that is more than one line away; null for a label beside its point. */
export function leaderOf(label: PlacedLabel): [from: Spot, to: Spot] | null {
  const [from, to] = lineTo(label);
  return label.anchor === 'middle' || Math.abs(to.y - from.y) < lineHeight - 2 ? null : [from, to];
}

interface Spot {
  readonly x: number;
  readonly y: number;
}

/**
 * Puts each label at the first place around its point that lies inside `area` and overlaps neither a point nor an
 * earlier label. Labels without such a place are dropped; tooltip and table still have their values. With `reach` labels may be
 * further away; then the line from a label to its point crosses no label, and no other line and no point if possible.
 */
export function placeLabels(
  requests: readonly LabelRequest[],
  area: Box,
  obstacles: readonly Box[] = [],
  characterWidth = 6.8,
  reach: Reach = { lines: 3 },
): PlacedLabel[] {
  const points = requests.map(({ x, y }) => ({ left: x - 6, right: x + 6, top: y - 6, bottom: y + 6 }));
  const taken: Box[] = [...obstacles, ...points];
  const texts: Box[] = [];
  const lines: Box[] = [];
  const placed: PlacedLabel[] = [];

  const isFree = (line: readonly Box[], boxes: readonly Box[]): boolean =>
    line.every((piece) => !boxes.some((box) => overlaps(piece, box)));

  for (const [index, request] of requests.entries()) {
    const width = request.text.length * characterWidth;
    const free = candidates(request, reach.lines).flatMap((candidate) => {
      const box = boxOf(candidate, width);
      const inside =
        box.left >= area.left && box.right <= area.right && box.top >= area.top && box.bottom <= area.bottom;
      if (!inside || taken.some((other) => overlaps(box, other))) return [];
      const leader = reach.lines > 3 ? leaderOf(candidate) : null;
      return [{ candidate, box, line: leader ? alongLine(leader, 4) : [] }];
    });
    const others = points.filter((point) => !overlaps(point, points[index]!));
    const clear = free.filter(({ line }) => isFree(line, texts));
    const uncrossed = clear.filter(({ line }) => isFree(line, lines));
    const found = uncrossed.find(({ line }) => isFree(line, others)) ?? uncrossed[0] ?? clear[0];
    if (!found) continue;
    taken.push(found.box, ...found.line);
    texts.push(found.box);
    lines.push(...found.line.slice(4)); // lines of neighbours may begin side by side
    placed.push(found.candidate);
  }
  return placed;
}
