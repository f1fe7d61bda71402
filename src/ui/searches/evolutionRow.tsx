/** @file The evolutionary search below the greedy ones: its best set on the strip's columns, the set's perplexity, and a button that applies it. */

import type { EvolutionEntry } from '../../importance/methods';
import type { EvolutionState } from '../../importance/search/found';
import { commands } from '../../lab/page/app';
import type { ModelShape } from '../../model/shape';
import type { PruningPlan } from '../../pruning/plan';
import { samePlan } from '../../pruning/plan';
import { planOfSteps } from '../../pruning/select';
import type { EvolutionResult } from '../../report/searches';
import { FailureNote } from '../parts/failureNote';
import { integer, milliseconds, percent, perplexity, significant } from '../parts/format';
import { producedBy } from '../parts/names';
import { ProgressBar } from '../parts/progressBar';
import { SoftwareBadge } from '../parts/softwareBadge';
import { useLab, useTask } from '../parts/useLab';
import { Columns, inkOn } from '../strip/cell';
import { rampColour } from '../strip/colourScale';
import { unitName } from '../strip/ranks';
import { EvolutionSettings } from './evolutionSettings';
import { columnsOf, endsText, shownEvolution, stepShort } from './steps';

interface Props {
  item: EvolutionEntry;
  shape: ModelShape;
  plan: PruningPlan;
}

export function EvolutionRow({ item, shape, plan }: Props) {
  const { label, meaning } = item;
  const task = useTask('evolution');
  const result = useLab((state) => state.evolution);
  const running = task.phase === 'running';
  const shown = shownEvolution(task, result);
  const layers = shape.layers.length;
  return (
    <div className="search">
      <div className="strip-row criterion-row">
        <div className="strip-label search-label" title={meaning}>
          <span>{label}</span>
          <span className="hint">sets</span>
        </div>
        {shown ? (
          <SetCells layers={layers} shown={shown} complete={!running && result?.complete === true} />
        ) : (
          <div className="strip-span">
            <div className="unmeasured">
              <span>Searches for the set whose removal changes the predictions least.</span>
            </div>
          </div>
        )}
        <div className="strip-order">{shown?.removed.slice(0, 4).map(stepShort).join(' · ')}</div>
      </div>
      <div className="strip-row search-details">
        <div className="strip-label" />
        <div className="strip-span wide">
          {running && (
            <ProgressBar
              label={`Searching with ${label}`}
              progress={task.progress && { ...task.progress, stage: 'Searching' }}
              taskKey="evolution"
              compact
            />
          )}
          {task.phase === 'failed' && <FailureNote title={`${label} stopped`} failure={task.failure} />}
          {shown && <BestLine shown={shown} />}
          {!running && result && <Found result={result} plan={plan} />}
          <div className="evolution-controls" hidden={running}>
            <EvolutionSettings item={item} shape={shape} result={result} />
          </div>
        </div>
      </div>
    </div>
  );
}

/** The set that a search found, on the strip's columns. */
export function SetCells({ layers, shown, complete }: { layers: number; shown: EvolutionState; complete: boolean }) {
  const { mode, removed: units } = columnsOf(shown.removed);
  const cell = (index: number) => {
    const removed = units.has(index);
    const position = removed ? 0 : complete ? 1 : null;
    return (
      <div
        key={index}
        className={`cell ${inkOn(position ?? 0)}`}
        style={{ background: rampColour(position) }}
        title={`${unitName(mode, index)}: ${removed ? 'in the removed set' : 'kept'}`}
        aria-hidden="true"
      >
        {removed ? '×' : ''}
      </div>
    );
  };
  return <Columns layers={layers} mode={mode} cell={cell} />;
}

function BestLine({ shown: { removed, trace } }: { shown: EvolutionState }) {
  const last = trace.at(-1)!;
  return (
    <p className="evolution-best">
      Best set so far: <b>{removed.map(stepShort).join(' · ')}</b>, KL <b>{significant(last.kl)}</b> nats per token,
      after {integer(last.generation)} generations and {integer(last.evaluations)} candidates
    </p>
  );
}

function Found({ result, plan }: { result: EvolutionResult; plan: PruningPlan }) {
  const { removed, complete, plus, barriers, calibration, device, passes } = result;
  const applied = samePlan(planOfSteps(plan.model, removed), plan);
  const tokens = calibration ? `${integer(calibration.tokens)} calibration tokens` : 'calibration tokens';
  return (
    <>
      <div className="propose apply">
        <button type="button" className="button small" disabled={applied} onClick={commands.applyEvolution}>
          {applied ? 'This set is cut' : 'Cut this set'}
        </button>
        {result.perplexity !== null && (
          <span>
            perplexity <b>{perplexity(result.perplexity)}</b> on the calibration tokens
          </span>
        )}
      </div>
      <p className="hint">
        {complete ? '' : 'Stopped early; this is the best set so far. '}
        {plus ? 'With the + rule. ' : ''}
        {endsText(barriers, 'blocks')}
        {passes && `Sharing the first blocks saved ${percent(1 - passes.made / passes.separate)} of the passes. `}
        On {tokens}, {producedBy(device)}, {milliseconds(result.milliseconds)}. {device.software && <SoftwareBadge />}
      </p>
    </>
  );
}
