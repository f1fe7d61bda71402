/** @file A small field for a whole number. Values out of bounds, as while typing, are not passed on. */
import { type CSSProperties, useState } from 'react';

interface Props {
  label: string;
  value: number;
  least: number;
  most: number;
  /** Accessible name, if the label alone is ambiguous. */
  name?: string;
  disabled?: boolean;
  onChange: (value: number) => void;
}

export function NumberField({ label, value, least, most, name = label, disabled = false, onChange }: Props) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <label className="number-field">
      <span>{label}</span>
      <input
        type="number"
        aria-label={name}
        min={least}
        max={most}
        step={1}
        value={typed ?? value}
        disabled={disabled}
        style={{ '--digits': `${String(value).length}ch` } as CSSProperties}
        onChange={({ target }) => {
          setTyped(target.value);
          const number = target.valueAsNumber;
          if (Number.isInteger(number) && number >= least && number <= most) onChange(number);
        }}
        onBlur={() => setTyped(null)}
      />
    </label>
  );
}
