import { expect, test } from 'vitest';
import { alongLine, type Box, leaderOf, type PlacedLabel, placeLabels } from './labels';

const area: Box = { left: 0, right: 400, top: 0, bottom: 300 };

function boxOf(label: PlacedLabel): Box {
  const width = label.text.length * 6.8;
  const left =
    label.anchor === 'start' ? label.labelX : label.anchor === 'end' ? label.labelX - width : label.labelX - width / 2;
  return { left, right: left + width, top: label.labelY - 11, bottom: label.labelY + 3 };
}
const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

test('a lone label stands to the right of its point', () => {
  const [label] = placeLabels([{ key: 'a', text: '−5', x: 100, y: 100 }], area);
  expect(label).toMatchObject({ anchor: 'start', labelX: 113, labelY: 104 });
});

test('at the right edge a label goes to the other side', () => {
  const [label] = placeLabels([{ key: 'a', text: 'whole model', x: 395, y: 100 }], area);
  expect(label?.anchor).toBe('end');
});

test('close points get labels that do not overlap', () => {
  const points = [0, 1, 2, 3, 4].map((i) => ({ key: `${i}`, text: `−${i}, ${i + 1}`, x: 200, y: 100 + i * 9 }));
  const placed = placeLabels(points, area);
  expect(placed.length).toBe(5);
  const boxes = placed.map(boxOf);
  boxes.forEach((box, i) => {
    for (const other of boxes.slice(i + 1)) expect(overlap(box, other)).toBe(false);
  });
});

test('a label with no room is left out rather than drawn over another', () => {
  const tight: Box = { left: 90, right: 160, top: 90, bottom: 108 };
  const points = [1, 2].map((i) => ({ key: `${i}`, text: 'label', x: 95, y: 101 }));
  expect(placeLabels(points, tight).length).toBe(1);
});

test('labels keep off a line', () => {
  const line = alongLine([
    { x: 100, y: 100 },
    { x: 300, y: 100 },
  ]);
  const [label] = placeLabels([{ key: 'a', text: 'whole model', x: 100, y: 100 }], area, line);
  for (const box of line) expect(overlap(boxOf(label!), box)).toBe(false);
});

test('a label beside its point has no line; one further away has a line to its point', () => {
  const at = { key: 'a', text: 'a', x: 200, y: 150, anchor: 'start' } as const;
  expect(leaderOf({ ...at, labelX: 213, labelY: 154 })).toBeNull();
  expect(leaderOf({ ...at, labelX: 213, labelY: 182 })).toEqual([
    { x: 200, y: 150 },
    { x: 211, y: 178 },
  ]);
});

test('with reach, a line to a label crosses no other label', () => {
  const crowd = ['1', '2', '3', '4', '5', '6'].map((key) => ({ key, text: key, x: 200, y: 150 }));
  const placed = placeLabels(crowd, { left: 0, right: 400, top: 0, bottom: 300 }, [], 7, { lines: 9 });
  for (const label of placed) {
    const [from, to] = leaderOf(label) ?? [label, label];
    for (const other of placed.filter((each) => each !== label)) {
      const left =
        other.anchor === 'end' ? other.labelX - 7 : other.anchor === 'middle' ? other.labelX - 3.5 : other.labelX;
      const crosses = alongLine([from, to], 2).some(
        (dot) => dot.left < left + 7 && dot.right > left && dot.top < other.labelY && dot.bottom > other.labelY - 9,
      );
      expect(crosses, `${label.key} and ${other.key}`).toBe(false);
    }
  }
  expect(placed.length).toBeGreaterThanOrEqual(4);
});
