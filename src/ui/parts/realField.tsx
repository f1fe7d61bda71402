/** @file A small field for a number with decimals, such as a learning rate. Values out of bounds are not passed on. */
import { type CSSProperties, useState } from 'react';

interface Props {
  label: string;
  value: number;
  least: number;
  most: number;
  /** Accessible name, if the label alone is ambiguous. */
  name?: string;
  onChange: (value: number) => void;
}

export function RealField({ label, value, least, most, name = label, onChange }: Props) {
  const [typed, setTyped] = useState<string | null>(null);
  const text = plain(value);
  return (
    <label className="number-field">
      <span>{label}</span>
      <input
        type="number"
        aria-label={name}
        min={least}
        max={most}
        step="any"
        value={typed ?? text}
        style={{ '--digits': `${text.length}ch` } as CSSProperties}
        onChange={({ target }) => {
          setTyped(target.value);
          const number = target.valueAsNumber;
          if (number >= least && number <= most) onChange(number);
        }}
        onBlur={() => setTyped(null)}
      />
    </label>
  );
}

/** Without an exponent down to a millionth. */
const plain = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-6 ? String(value) : value.toFixed(8).replace(/\.?0+$/, '');
