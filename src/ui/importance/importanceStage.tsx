/** @file Stages two and three: the importance of the blocks, and the plan. */
import { commands } from '../../lab/page/app';
import type { UnitMode } from '../../lab/page/store';
import { FailureNote } from '../parts/failureNote';
import { Segmented } from '../parts/segmented';
import { useLab, useTask } from '../parts/useLab';
import { PlanTools } from '../plan/planTools';
import { Propose } from '../plan/propose';
import { Legend } from '../strip/legend';
import { useChosenCriterion, useRanked, useShownCriterion } from '../strip/useStrip';
import { ScoresTable } from './scoresTable';
import { Strip } from './strip';

const units: readonly { value: UnitMode; label: string }[] = [
  { value: 'blocks', label: 'Blocks' },
  { value: 'subBlocks', label: 'Attention / MLP' },
];

export function ImportanceStage() {
  const model = useLab((state) => state.model);
  const plan = useLab((state) => state.plan);
  const mode = useLab((state) => state.unitMode);
  const criterion = useChosenCriterion();
  const calibrate = useTask('calibrate');
  const ranked = useRanked(mode, criterion);
  const shown = useRanked(mode, useShownCriterion(mode));
  return (
    <section className="card importance" id="blocks" aria-labelledby="importance-title" tabIndex={-1}>
      <div className="bar">
        <h2 id="importance-title">Which blocks matter?</h2>
        <span className="spring" />
        <Segmented
          legend="What a click cuts"
          options={units}
          value={mode}
          onChange={(unit) => void commands.chooseUnits(unit)}
        />
        <PlanTools />
      </div>
      <p className="sub">
        Colour shows the importance by each criterion.{' '}
        {mode === 'blocks' ? 'Click a block' : 'Click an attention (a) or an MLP (m)'} to cut or restore it; the page
        measures the new perplexity immediately.
      </p>
      {calibrate.phase === 'failed' && <FailureNote title="Calibration failed" failure={calibrate.failure} />}
      {model && plan ? (
        <>
          <Strip model={model} plan={plan} mode={mode} ranked={shown} />
          <Legend ranked={shown} />
          <Propose ranked={ranked} mode={mode} layers={model.shape.layers.length} />
          {shown && <ScoresTable ranked={shown} />}
        </>
      ) : (
        <StripPlaceholder />
      )}
    </section>
  );
}

/** Reserves the strip's space until a model is open, so that the layout does not shift. */
function StripPlaceholder() {
  return (
    <div className="strip-placeholder">
      <p>The model’s blocks appear here once a model is open.</p>
    </div>
  );
}
