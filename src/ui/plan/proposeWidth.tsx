/** @file Proposes a plan of heads and neurons by the chosen width method: which share of the parameters to cut, and how. */
import { commands } from '../../lab/page/app';
import type { WidthChoice } from '../../lab/page/store';
import { headKind } from '../../lab/page/width';
import type { PruningPlan } from '../../pruning/plan';
import { removesWidth } from '../../pruning/plan';
import { widthMultiples } from '../../pruning/widthRule';
import type { ModelInfo } from '../../report/facts';
import { Disclosure } from '../parts/disclosure';
import { FailureNote } from '../parts/failureNote';
import { percent } from '../parts/format';
import { ProgressBar } from '../parts/progressBar';
import { RangeSlider } from '../parts/rangeSlider';
import { Segmented } from '../parts/segmented';
import { useLab, useTask } from '../parts/useLab';
import { labelOfWidth } from '../width/widthLabels';

/** Largest share that the slider offers, in hundredths of all parameters: with less than this the model is one no more. */
const mostPercent = 80;

export function ProposeWidth({ model, plan }: { model: ModelInfo; plan: PruningPlan }) {
  const method = useLab((state) => state.widthMethod);
  const ratio = useLab((state) => state.draft?.ratio ?? 0);
  const task = useTask('widthPlan');
  const noGpu = useLab((state) => state.ready && state.device === null);
  const label = labelOfWidth(method);
  const value = removesWidth(plan) ? Math.round(ratio * 100) : 0;
  return (
    <div className="propose width">
      <RangeSlider
        value={value}
        most={mostPercent}
        disabled={noGpu}
        valueText={(share) => `${share} percent of the parameters by ${label}`}
        onRest={(share) => (share === 0 ? commands.resetPlan() : void commands.proposeWidth(share / 100))}
      >
        {(share) => (
          <>
            Propose a cut of <output className="count">{share}%</output> of the parameters by <b>{label}</b>
          </>
        )}
      </RangeSlider>
      {value > 0 && <span className="hint">whole heads and neurons: {percent(ratio)} removed</span>}
      {task.phase === 'running' && (
        <ProgressBar label="Choosing heads and neurons" progress={task.progress} taskKey="widthPlan" />
      )}
      {task.phase === 'failed' && <FailureNote title="No plan could be proposed" failure={task.failure} />}
      <Disclosure summary="How heads and neurons are chosen">
        <Options grouped={model.shape.layers.some((layer) => headKind(layer) === 'kvGroup')} />
      </Disclosure>
    </div>
  );
}

const multiples = [
  { value: 'any', label: 'any' },
  ...widthMultiples.map((multiple) => ({ value: String(multiple), label: String(multiple) })),
];
const removals = [
  { value: 'groups', label: 'whole KV groups' },
  { value: 'within-groups', label: 'heads in each group' },
] as const;

function Options({ grouped }: { grouped: boolean }) {
  const method = useLab((state) => state.widthMethod);
  const choice = useLab((state) => state.widthChoice);
  const box = (field: 'asPublished' | 'sequential' | 'biases', text: string) => (
    <label className="check">
      <input
        type="checkbox"
        checked={choice[field]}
        onChange={({ target }) => commands.chooseWidth({ [field]: target.checked } satisfies Partial<WidthChoice>)}
      />
      {text}
    </label>
  );
  const multipleOf = (value: string) => widthMultiples.find((multiple) => String(multiple) === value) ?? null;
  return (
    <div className="width-options">
      {box('asPublished', 'as published: the numbers of the official code, also where Secateur corrects them')}
      {method === 'wanda-sp' && box('sequential', 'block by block: the pruned output of a block feeds the next one')}
      {method === 'flap' && box('biases', 'repair with FLAP’s biases: they replace the mean output of removed parts')}
      <div className="option-line">
        <span>Neurons that stay are a multiple of</span>
        <Segmented
          legend="Neurons that stay are a multiple of"
          options={multiples}
          value={choice.roundTo === null || choice.roundTo === undefined ? 'any' : String(choice.roundTo)}
          onChange={(value) => commands.chooseWidth({ roundTo: multipleOf(value) })}
        />
      </div>
      {grouped && (
        <div className="option-line">
          <span>Attentions lose</span>
          <Segmented
            legend="Attentions lose"
            options={removals}
            value={choice.heads ?? 'groups'}
            onChange={(heads) => commands.chooseWidth({ heads })}
          />
        </div>
      )}
    </div>
  );
}
