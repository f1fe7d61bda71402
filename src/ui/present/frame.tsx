/** @file The frame of a slide: its title, its content, one line about the measurement. */
import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';

interface Props {
  title: string;
  /** What was measured, and by which device. */
  note?: ReactNode;
  /** Drawn larger where the slide is a title. */
  className?: string;
  children: ReactNode;
}

export function SlideFrame({ title, note, className = '', children }: Props) {
  return (
    <section className={`slide ${className}`} aria-label={title}>
      <h2>{title}</h2>
      <div className="slide-body">{children}</div>
      {note && <p className="slide-note">{note}</p>}
    </section>
  );
}

/** Size of the text in the page's charts, px. */
const chartText = 12.5;

interface Room {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
}

/** A chart of the page, enlarged so that its text is as large as the slide's. `draw` gets the room in the chart's own pixels. */
export function Enlarged({ draw }: { draw: (room: { width: number; height: number }) => ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState<Room | null>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = (): void => {
      const scale = Number.parseFloat(getComputedStyle(element).fontSize) / chartText;
      setRoom({ width: element.clientWidth / scale, height: element.clientHeight / scale, scale });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return (
    <div className="enlarged" ref={box}>
      {room && (
        <div style={{ width: room.width, height: room.height, transform: `scale(${room.scale})` }}>{draw(room)}</div>
      )}
    </div>
  );
}
