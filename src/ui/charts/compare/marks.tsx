/**
 * @file Marks of a chart that can be pointed at and reached from the keyboard: one tab stop, arrow keys move from mark to mark,
 * Escape closes the tooltip.
 */
import { type KeyboardEvent, type ReactNode, useRef } from 'react';
import { createPortal } from 'react-dom';
import { TooltipBox } from '../tooltip';

export interface PlacedMark {
  readonly key: string;
  readonly x: number;
  readonly y: number;
  /** First line of the tooltip. */
  readonly title: string;
  readonly lines: readonly string[];
  readonly drawing: ReactNode;
}

interface Props {
  /** In the order of the arrow keys. */
  marks: readonly PlacedMark[];
  /** Names the group: 'Variants'. */
  label: string;
  active: string | null;
  onActive: (key: string | null) => void;
  /** The element around the chart, which holds the tooltip. */
  room: HTMLElement | null;
}

const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export function Marks({ marks, label, active, onActive, room }: Props) {
  const group = useRef<SVGGElement>(null);
  const shown = marks.find(({ key }) => key === active);
  const stop = shown?.key ?? marks[0]?.key;

  function move(event: KeyboardEvent, index: number): void {
    if (event.key === 'Escape') onActive(null);
    const step = steps[event.key];
    const target = event.key === 'Home' ? 0 : event.key === 'End' ? marks.length - 1 : step && index + step;
    if (target === undefined || target < 0 || target >= marks.length) return;
    event.preventDefault();
    group.current?.querySelectorAll<SVGGElement>(':scope > g')[target]?.focus();
  }

  return (
    // biome-ignore lint/a11y: SVG has no fieldset, and the group holds marks that the keyboard reaches
    <g ref={group} role="group" aria-label={`${label}: arrow keys move from mark to mark`} className="marks">
      {marks.map(({ key, title, lines, drawing, x, y }, index) => (
        // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: a mark is a picture whose tooltip the keyboard can read
        <g
          key={key}
          role="img"
          aria-label={[title, ...lines].join(', ')}
          tabIndex={key === stop ? 0 : -1}
          className={key === active ? 'mark active' : 'mark'}
          onFocus={() => onActive(key)}
          onBlur={() => onActive(null)}
          onPointerEnter={() => onActive(key)}
          onPointerLeave={() => onActive(null)}
          onKeyDown={(event) => move(event, index)}
        >
          <circle className="mark-reach screen-only" cx={x} cy={y} r={12} />
          {drawing}
        </g>
      ))}
      {shown && room && createPortal(<Tip mark={shown} width={room.clientWidth} />, room)}
    </g>
  );
}

/** The tooltip beside a mark, on the side with more room. */
function Tip({ mark: { x, y, title, lines }, width }: { mark: PlacedMark; width: number }) {
  const left = x > width / 2;
  const room = (left ? x : width - x) - gap;
  const place = left ? { right: width - x + gap } : { left: x + gap };
  return (
    <div className="mark-tip" style={{ ...place, top: y, maxWidth: Math.max(room, 150) }} aria-hidden="true">
      <TooltipBox title={title} lines={lines} />
    </div>
  );
}

/** Between a mark and its tooltip, px. */
const gap = 14;

/** With less than this many px a chart numbers its marks, and the list below it has their names. */
export const narrowBelow = 520;

/** A name that fits beside a mark. */
export function shortName(name: string, most = 28): string {
  return name.length > most ? `${name.slice(0, most - 1).trimEnd()}…` : name;
}
