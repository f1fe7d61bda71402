/** @file The form of a comparison with a budget of the user's own. */
import { type ReactNode, useState } from 'react';
import type { CompareRequest } from '../../lab/contract/types';
import { commands } from '../../lab/page/app';
import { repairLabels, repairMethods } from '../../pruning/repairMethods';
import { widthMultiples } from '../../pruning/widthRule';
import { Segmented } from '../parts/segmented';
import {
  type BudgetKind,
  batchOffers,
  depthOffers,
  type BudgetForm as Form,
  formFault,
  formOf,
  type Offer,
  requestOf,
  toggled,
  widthOffers,
} from './budget';

const budgets: readonly { value: BudgetKind; label: string }[] = [
  { value: 'ratio', label: 'Parameters removed' },
  { value: 'msPerToken', label: 'Time per token' },
  { value: 'bytes', label: 'Memory' },
];
const unitNames: Readonly<Record<BudgetKind, string>> = {
  ratio: '% of all parameters',
  msPerToken: 'ms per token, measured with ONNX Runtime',
  bytes: 'MB of weights and key/value cache',
};
const repairs: readonly { value: Form['repair']; label: string }[] = [
  { value: 'plan', label: 'As the method says' },
  { value: 'none', label: 'None' },
  ...repairMethods.map((value) => ({ value, label: repairLabels[value] })),
];

export function BudgetForm({ preset, disabled }: { preset: CompareRequest; disabled: boolean }) {
  const [form, setForm] = useState<Form>(() => formOf(preset));
  const change = (part: Partial<Form>): void => setForm((before) => ({ ...before, ...part }));
  const fault = formFault(form);
  const { kind, amounts } = form;
  return (
    <form
      className="budget-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (fault === null && !disabled) void commands.compare(requestOf(form, preset));
      }}
    >
      <div className="budget-line">
        <Segmented legend="Budget" options={budgets} value={kind} onChange={(value) => change({ kind: value })} />
        <label className="budget-amount">
          <input
            type="number"
            className="field"
            min={0}
            step="any"
            aria-label={`Budget, ${unitNames[kind]}`}
            value={Number.isNaN(amounts[kind]) ? '' : amounts[kind]}
            onChange={({ target }) => change({ amounts: { ...amounts, [kind]: target.valueAsNumber } })}
          />{' '}
          {unitNames[kind]}
        </label>
      </div>
      <div className="budget-methods">
        <Methods legend="Depth" offers={depthOffers} form={form} change={change} />
        <Methods legend="Width" offers={widthOffers} form={form} change={change} />
      </div>
      <div className="budget-line">
        <Group legend="Batch sizes">
          {batchOffers.map((batch) => (
            <label className="check" key={batch}>
              <input
                type="checkbox"
                checked={form.batchSizes.includes(batch)}
                onChange={() => change({ batchSizes: toggled(form.batchSizes, batch) })}
              />
              {batch}
            </label>
          ))}
        </Group>
        <Group legend="Also with neurons rounded to">
          {widthMultiples.map((multiple) => (
            <label className="check" key={multiple}>
              <input
                type="checkbox"
                checked={form.roundTo.includes(multiple)}
                onChange={() => change({ roundTo: toggled(form.roundTo, multiple) })}
              />
              {multiple}
            </label>
          ))}
        </Group>
        <label className="budget-repair">
          Repair{' '}
          <select
            className="field"
            value={form.repair}
            onChange={({ target }) => {
              const chosen = repairs.find(({ value }) => value === target.value);
              if (chosen) change({ repair: chosen.value });
            }}
          >
            {repairs.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div className="budget-line">
        <button type="submit" className="button" disabled={fault !== null || disabled}>
          Compare
        </button>
        <span className="hint" role="status">
          {fault ?? 'A repair is applied to every variant that it fits: biases to width, the others to depth.'}
        </span>
      </div>
    </form>
  );
}

interface MethodsProps {
  legend: string;
  offers: readonly Offer[];
  form: Form;
  change: (part: Partial<Form>) => void;
}

function Methods({ legend, offers, form, change }: MethodsProps) {
  return (
    <Group legend={legend}>
      {offers.map(({ id, label, paper }) => (
        <label className="check method" key={id}>
          <input
            type="checkbox"
            checked={form.methods.includes(id)}
            onChange={() => change({ methods: toggled(form.methods, id) })}
          />
          <span>
            {label} <span className="hint">{paper}</span>
          </span>
        </label>
      ))}
    </Group>
  );
}

function Group({ legend, children }: { legend: string; children: ReactNode }) {
  return (
    <fieldset className="budget-group">
      <legend>{legend}</legend>
      {children}
    </fieldset>
  );
}
