/** @file The input behind the fields for numbers: it keeps the text that is being typed, and passes on the numbers that are accepted. */
import { type CSSProperties, useState } from 'react';

export interface NumberProps {
  label: string;
  value: number;
  least: number;
  most: number;
  /** Accessible name, if the label alone is ambiguous. */
  name?: string;
  disabled?: boolean;
  onChange: (value: number) => void;
}

interface Props extends NumberProps {
  /** The value as the field shows it. */
  text: string;
  step: number | 'any';
  accepts: (value: number) => boolean;
}

export function TypedNumber(props: Props) {
  const { label, least, most, name = label, disabled = false, onChange, text, step, accepts } = props;
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <label className="number-field">
      <span>{label}</span>
      <input
        type="number"
        aria-label={name}
        min={least}
        max={most}
        step={step}
        value={typed ?? text}
        disabled={disabled}
        style={{ '--digits': `${text.length}ch` } as CSSProperties}
        onChange={({ target }) => {
          setTyped(target.value);
          const number = target.valueAsNumber;
          if (accepts(number) && number >= least && number <= most) onChange(number);
        }}
        onBlur={() => setTyped(null)}
      />
    </label>
  );
}
