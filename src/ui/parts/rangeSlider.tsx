/** @file A slider that reports a drag as one edit, once the thumb rests. */
import { type CSSProperties, type ReactNode, useEffect, useId, useRef, useState } from 'react';

/** Rest time after which a drag counts as finished, in ms. */
const restMs = 140;

interface Props {
  value: number;
  most: number;
  disabled?: boolean;
  /** Accessible text of a value. */
  valueText: (value: number) => string;
  onRest: (value: number) => void;
  /** The label, for the value under the thumb. */
  children: (value: number) => ReactNode;
}

export function RangeSlider({ value, most, disabled = false, valueText, onRest, children }: Props) {
  const id = useId();
  const [moved, setMoved] = useState<number | null>(null);
  const rest = useRef(onRest);
  rest.current = onRest;
  const shown = moved ?? value;

  useEffect(() => {
    if (moved === null) return;
    const timer = setTimeout(() => {
      rest.current(moved);
      setMoved(null);
    }, restMs);
    return () => clearTimeout(timer);
  }, [moved]);

  const end = Math.max(most, 1);
  return (
    <>
      <label htmlFor={id}>{children(shown)}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={end}
        step={1}
        value={Math.min(shown, end)}
        disabled={disabled}
        aria-valuetext={valueText(shown)}
        style={{ '--share': `${most > 0 ? (Math.min(shown, most) / most) * 100 : 0}%` } as CSSProperties}
        onChange={(event) => setMoved(event.target.valueAsNumber)}
      />
    </>
  );
}
