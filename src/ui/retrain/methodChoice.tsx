/** @file The ways to train, each with what it trains and costs. */
import { useId } from 'react';
import type { RetrainMethod } from '../../pruning/variant';
import { methodWords } from './methods';

interface Props {
  method: RetrainMethod;
  onChange: (method: RetrainMethod) => void;
}

export function MethodChoice({ method, onChange }: Props) {
  const group = useId();
  return (
    <fieldset className="retrain-methods">
      <legend className="sr-only">Method of training</legend>
      {methodWords.map(({ id, label, meaning }) => (
        <label key={id} className={id === method ? 'retrain-method selected' : 'retrain-method'}>
          <span className="retrain-method-name">
            <input
              type="radio"
              name={group}
              checked={id === method}
              aria-describedby={`${group}-${id}`}
              onChange={() => onChange(id)}
            />
            {label}
          </span>
          <span className="hint" id={`${group}-${id}`}>
            {meaning}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
