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

/**
 * Puts each label at the first place around its point that lies inside `area` and overlaps neither a point nor an
 * earlier label. Labels without such a place are dropped; tooltip and table still have their values. `reach`: how many lines
 * above or below its point a label may be; a chart that allows more than 3 joins such labels to their points.
 */
export function placeLabels(
  requests: readonly LabelRequest[],
  area: Box,
  obstacles: readonly Box[] = [],
  characterWidth = 6.8,
  reach = 3,
): PlacedLabel[] {
  const taken: Box[] = [
    ...obstacles,
    ...requests.map(({ x, y }) => ({ left: x - 6, right: x + 6, top: y - 6, bottom: y + 6 })),
  ];
  const placed: PlacedLabel[] = [];
  for (const request of requests) {
    const width = request.text.length * characterWidth;
    for (const candidate of candidates(request, reach)) {
      const box = boxOf(candidate, width);
      const inside =
        box.left >= area.left && box.right <= area.right && box.top >= area.top && box.bottom <= area.bottom;
      if (!inside || taken.some((other) => overlaps(box, other))) continue;
      taken.push(box);
      placed.push(candidate);
      break;
    }
  }
  return placed;
}
