/**
 * @file The greedy searches, below the criteria: their steps on the strip's columns, and a slider that applies them.
 */

import { type ReactNode, useState } from 'react';
import type { SearchStep } from '../../importance/search/found';
import type { Barriers } from '../../importance/types';
import { commands } from '../../lab/page/app';
import { stepsIn } from '../../lab/page/subBlocks';
import type { ModelShape } from '../../model/shape';
import type { PruningPlan } from '../../pruning/plan';
import type { SearchResult } from '../../report/searches';
import { FailureNote } from '../parts/failureNote';
import { integer, milliseconds, perplexity } from '../parts/format';
import { producedBy } from '../parts/names';
import { ProgressBar } from '../parts/progressBar';
import { RangeSlider } from '../parts/rangeSlider';
import { SoftwareBadge } from '../parts/softwareBadge';
import { useLab, useTask } from '../parts/useLab';
import { Columns, inkOn } from '../strip/cell';
import { rampColour } from '../strip/colourScale';
import { unitName } from '../strip/ranks';
import { EvolutionRow } from './evolutionRow';
import { evolutionItem, type SearchItem, searchMenu } from './searchMenu';
import { SearchStart } from './searchStart';
import { endsText, shownSteps, stepName, stepNumbers, stepShort } from './steps';

interface Props {
  layers: number;
  plan: PruningPlan;
}

export function SearchRows({ shape, plan }: { shape: ModelShape; plan: PruningPlan }) {
  const layers = shape.layers.length;
  return (
    <fieldset className="searches" aria-label="Searches">
      <div className="strip-row searches-head">
        <b className="strip-label">Searches</b>
        <p className="strip-span hint">
          Greedy: remove the least important unit, re-measure, repeat. Cells show the order.
        </p>
      </div>
      {searchMenu.map((item) => (
        <SearchRow key={item.id} item={item} layers={layers} plan={plan} />
      ))}
      {evolutionItem && <EvolutionRow item={evolutionItem} shape={shape} plan={plan} />}
    </fieldset>
  );
}

function SearchRow({ item, layers, plan }: Props & { item: SearchItem }) {
  const task = useTask(`search:${item.id}`);
  const result = useLab((state) => state.searches[item.id]);
  const running = task.phase === 'running';
  const steps = shownSteps(task, result);
  const [chosen, setChosen] = useState<Barriers | null>(null);
  const barriers = chosen ?? result?.barriers ?? item.barriers;
  const start = (again: boolean) => (
    <SearchStart item={item} layers={layers} barriers={barriers} onBarriers={setChosen} again={again} />
  );
  return (
    <div className="search">
      <div className="strip-row criterion-row">
        <div className="strip-label search-label" title={item.meaning}>
          <span>{item.label}</span>
          <span className="hint">{item.mode === 'blocks' ? 'blocks' : 'attn, MLP'}</span>
        </div>
        {running || result ? (
          <StepCells item={item} layers={layers} steps={steps} complete={!running && result?.complete === true} />
        ) : (
          <div className="strip-span">
            <div className="unmeasured">{start(false)}</div>
          </div>
        )}
        <div className="strip-order">{steps.slice(0, 4).map(stepShort).join(' · ')}</div>
      </div>
      {(running || result || task.phase === 'failed') && (
        <div className="strip-row search-details">
          <div className="strip-label" />
          <div className="strip-span wide">
            {running && (
              <ProgressBar
                label={`Searching with ${item.label}`}
                progress={task.progress && { ...task.progress, stage: 'Searching' }}
                taskKey={`search:${item.id}`}
                compact
              />
            )}
            {task.phase === 'failed' && <FailureNote title={`${item.label} stopped`} failure={task.failure} />}
            {steps.length > 0 && <StepList item={item} steps={steps} />}
            {!running && result && <Apply item={item} result={result} plan={plan} again={start(true)} />}
            {!running && !result && start(false)}
          </div>
        </div>
      )}
    </div>
  );
}

interface CellsProps {
  item: SearchItem;
  layers: number;
  steps: readonly SearchStep[];
  /** True if the search ended by itself: units that remain are then the most important ones. */
  complete: boolean;
}

/** The steps of a search on the strip's columns. */
export function StepCells({ item, layers, steps, complete }: CellsProps) {
  const numbers = stepNumbers(steps);
  const cell = (index: number) => {
    const number = numbers.get(index);
    const position = number === undefined ? (complete ? 1 : null) : (number - 1) / Math.max(steps.length, 1);
    const said =
      number === undefined ? 'not removed' : `step ${number}, perplexity ${perplexity(steps[number - 1]!.perplexity)}`;
    return (
      <div
        key={index}
        className={`cell ${inkOn(position ?? 0)}`}
        style={{ background: rampColour(position) }}
        title={`${unitName(item.mode, index)}: ${said}`}
        aria-hidden="true"
      >
        {number ?? ''}
      </div>
    );
  };
  return <Columns layers={layers} mode={item.mode} cell={cell} />;
}

/** The units that a search removed, each with the perplexity after it. */
export function StepList({ item, steps }: { item: SearchItem; steps: readonly SearchStep[] }) {
  return (
    <ol className="steps" aria-label={`Steps of ${item.label}: the removed unit and the perplexity after its removal`}>
      {steps.map((step, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: steps are only ever appended
        <li key={index} title={`step ${index + 1}: without ${stepName(step)}`}>
          <b>{stepShort(step)}</b> → {perplexity(step.perplexity)}
        </li>
      ))}
    </ol>
  );
}

function Apply({
  item,
  result,
  plan,
  again,
}: {
  item: SearchItem;
  result: SearchResult;
  plan: PruningPlan;
  again: ReactNode;
}) {
  const { steps, complete, plus, barriers = item.barriers, calibration, device } = result;
  const applied = stepsIn(plan, steps);
  const tokens = calibration ? `${integer(calibration.tokens)} calibration tokens` : 'calibration tokens';
  return (
    <>
      <div className="propose apply">
        {steps.length > 0 && (
          <RangeSlider
            value={applied ?? 0}
            most={steps.length}
            valueText={(count) => `the first ${count} of ${steps.length} steps of ${item.label}`}
            onRest={(count) => commands.applySearch(item.id, count)}
          >
            {(count) => (
              <>
                Apply the first <output className="count">{count}</output> of {steps.length} steps
              </>
            )}
          </RangeSlider>
        )}
        {again}
      </div>
      <p className="hint">
        {complete ? '' : 'Stopped early; the steps so far are kept. '}
        {plus ? 'With the + rule. ' : ''}
        {endsText(barriers)}
        Perplexities on {tokens}, {producedBy(device)}, {milliseconds(result.milliseconds)}.{' '}
        {device.software && <SoftwareBadge />}
      </p>
    </>
  );
}
