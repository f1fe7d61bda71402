/** @file Stage two and three: which blocks matter, and the plan that follows from it. */

import { FailureNote } from '../parts/failureNote';
import { useLab, useTask } from '../parts/useLab';
import { PlanTools } from '../plan/planTools';
import { Propose } from '../plan/propose';
import { Legend } from './legend';
import { ScoresTable } from './scoresTable';
import { Strip } from './strip';
import { useRanked, useShownCriterion } from './useStrip';

export function ImportanceStage() {
  const model = useLab((state) => state.model);
  const plan = useLab((state) => state.plan);
  const criterion = useLab((state) => state.criterion);
  const calibrate = useTask('calibrate');
  const ranked = useRanked(criterion);
  const shown = useRanked(useShownCriterion());
  return (
    <section className="card importance" id="blocks" aria-labelledby="importance-title" tabIndex={-1}>
      <div className="bar">
        <h2 id="importance-title">Which blocks matter?</h2>
        <span className="spring" />
        <PlanTools />
      </div>
      <p className="sub">
        Colour is importance under each criterion. Click a block to cut it or bring it back; the perplexity follows at
        once.
      </p>
      {calibrate.phase === 'failed' && <FailureNote title="Calibration failed" failure={calibrate.failure} />}
      {model && plan ? (
        <>
          <Strip model={model} plan={plan} ranked={shown} />
          <Legend ranked={shown} />
          <Propose ranked={ranked} layers={model.shape.layers.length} />
          {shown && <ScoresTable ranked={shown} />}
        </>
      ) : (
        <StripPlaceholder />
      )}
    </section>
  );
}

/** The strip's room while no model is open, so that nothing jumps when one is. */
function StripPlaceholder() {
  return (
    <div className="strip-placeholder">
      <p>The blocks of the model appear here as soon as it is open.</p>
    </div>
  );
}
