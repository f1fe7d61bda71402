/** @file A button that asks for confirmation in its own place. */
import { type ReactNode, useEffect, useRef, useState } from 'react';

interface Props {
  label: ReactNode;
  /** Accessible name, which names the object of the action. */
  description: string;
  /** Label of the confirming button. */
  confirm: string;
  onConfirm: () => void;
}

export function ConfirmButton({ label, description, confirm, onConfirm }: Props) {
  const [asking, setAsking] = useState(false);
  const yes = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (asking) yes.current?.focus();
  }, [asking]);
  if (!asking) {
    return (
      <button
        type="button"
        className="button small quiet"
        aria-label={description}
        title={description}
        onClick={() => setAsking(true)}
      >
        {label}
      </button>
    );
  }
  return (
    <fieldset
      className="confirm"
      aria-label={`${description}?`}
      onKeyDown={(e) => e.key === 'Escape' && setAsking(false)}
    >
      <button
        ref={yes}
        type="button"
        className="button small danger"
        onClick={() => {
          setAsking(false);
          onConfirm();
        }}
      >
        {confirm}
      </button>
      <button type="button" className="button small" onClick={() => setAsking(false)}>
        Keep
      </button>
    </fieldset>
  );
}
