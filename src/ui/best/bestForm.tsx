/** @file The budgets of a search, with the base's own numbers beside them, and what may be removed. */
import { useState } from 'react';
import { commands } from '../../lab/page/app';
import { windowedCacheBytes } from '../../pruning/budget/costs';
import { sizeUnits } from '../../pruning/budget/sizes';
import type { ModelInfo } from '../../report/facts';
import { bytes, integer, milliseconds } from '../parts/format';
import { runtimeNames } from '../parts/names';
import { Segmented } from '../parts/segmented';
import { useLab } from '../parts/useLab';
import { type Amount, type BestForm as Form, firstForm, formFault, type Meant, requestOf, unitLabels } from './form';

/** Tokens in the cache, as `lab.best` takes them. */
const contextOf = ({ shape }: ModelInfo): number => Math.min(shape.maxPositions, 2048);

export function BestForm({ model, disabled }: { model: ModelInfo; disabled: boolean }) {
  const [form, setForm] = useState<Form>(firstForm);
  const change = (part: Partial<Form>): void => setForm((before) => ({ ...before, ...part }));
  const fault = formFault(form);
  const context = contextOf(model);
  return (
    <form
      className="best-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (fault === null && !disabled) void commands.findBest(requestOf(form));
      }}
    >
      <AmountLine legend="Time per token" unit="ms" amount={form.time} onChange={(time) => change({ time })}>
        <BaseTime />
      </AmountLine>
      <AmountLine legend="Cache" unit="kB" amount={form.cache} onChange={(cache) => change({ cache })}>
        {`base: ${bytes(windowedCacheBytes(model.shape, context))} for ${integer(context)} tokens`}
      </AmountLine>
      <div className="best-line">
        <span className="best-legend">Parameters</span>
        <label className="best-amount">
          <input
            type="number"
            className="field"
            min={0}
            max={99}
            step="any"
            aria-label="Parameters to remove at least, % of all"
            value={form.removed ?? ''}
            onChange={({ target }) => change({ removed: target.value === '' ? null : target.valueAsNumber })}
          />{' '}
          % removed at least
        </label>
      </div>
      <fieldset className="best-line best-units">
        <legend className="best-legend">May go</legend>
        {sizeUnits.map((unit) => (
          <label className="check" key={unit}>
            <input
              type="checkbox"
              checked={form.units.includes(unit)}
              onChange={({ target }) =>
                change({
                  units: target.checked ? [...form.units, unit] : form.units.filter((each) => each !== unit),
                })
              }
            />
            {unitLabels[unit]}
          </label>
        ))}
      </fieldset>
      <div className="best-line">
        <button type="submit" className="button primary" disabled={fault !== null || disabled}>
          Search
        </button>
        <span className="hint" role="status">
          {fault ?? 'Every budget that you enter is kept; the others do not count.'}
        </span>
      </div>
    </form>
  );
}

interface AmountProps {
  legend: string;
  /** Of an absolute amount. */
  unit: string;
  amount: Amount;
  onChange: (amount: Amount) => void;
  /** What the base takes. */
  children: React.ReactNode;
}

function AmountLine({ legend, unit, amount, onChange, children }: AmountProps) {
  const { value, meant } = amount;
  const meanings: readonly { value: Meant; label: string }[] = [
    { value: 'share', label: '% of the base' },
    { value: 'absolute', label: unit },
  ];
  const choose = (chosen: Meant): void => {
    // A number of one unit means nothing in the other.
    if (chosen !== meant) onChange({ meant: chosen, value: chosen === 'share' && value !== null ? 80 : null });
  };
  return (
    <div className="best-line">
      <span className="best-legend">{legend}</span>
      <span className="best-amount">
        at most
        <input
          type="number"
          className="field"
          min={0}
          step="any"
          aria-label={`${legend}, at most, ${meant === 'share' ? '% of the base' : unit}`}
          value={value === null || Number.isNaN(value) ? '' : value}
          onChange={({ target }) => onChange({ meant, value: target.value === '' ? null : target.valueAsNumber })}
        />
      </span>
      <Segmented legend={`Unit of ${legend.toLowerCase()}`} options={meanings} value={meant} onChange={choose} />
      <button
        type="button"
        className="button small"
        aria-label={`${legend}: 80 % of the base`}
        onClick={() => onChange({ meant: 'share', value: 80 })}
      >
        80 % of the base
      </button>
      <span className="hint">{children}</span>
    </div>
  );
}

/** The base's own time, if it was measured. */
function BaseTime() {
  const base = useLab(({ comparison }) => comparison.find(({ variant }) => variant === 'base'));
  const last = base?.latency.filter(({ batch }) => batch === 1).at(-1);
  if (last === undefined) return 'base: measured when the search begins';
  return `base: ${milliseconds(last.decodeMsPerToken)} (${runtimeNames[last.runtime]})`;
}
