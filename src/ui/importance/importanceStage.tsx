/** @file Stages two and three: the importance of the blocks, and the plan. */
import { commands } from '../../lab/page/app';
import type { DepthMode, UnitMode } from '../../lab/page/store';
import type { PruningPlan } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import { FailureNote } from '../parts/failureNote';
import { Segmented } from '../parts/segmented';
import { useLab, useTask } from '../parts/useLab';
import { PlanTools } from '../plan/planTools';
import { Propose } from '../plan/propose';
import { Repair } from '../plan/repair';
import { Legend } from '../strip/legend';
import { useChosenCriterion, useRanked, useShownCriterion } from '../strip/useStrip';
import { WidthStage } from '../width/widthStage';
import { ScoresTable } from './scoresTable';
import { Strip } from './strip';

const units: readonly { value: UnitMode; label: string }[] = [
  { value: 'blocks', label: 'Blocks' },
  { value: 'subBlocks', label: 'Attention / MLP' },
  { value: 'width', label: 'Heads and neurons' },
];

const titles: Readonly<Record<UnitMode, string>> = {
  blocks: 'Which blocks matter?',
  subBlocks: 'Which blocks matter?',
  width: 'Which parts matter?',
};

const follows = 'the page measures the new perplexity immediately.';
const hints: Readonly<Record<UnitMode, string>> = {
  blocks: `Colour shows the importance by each criterion. Click a block to cut or restore it; ${follows}`,
  subBlocks: `Colour shows the importance by each criterion. Click an attention (a) or an MLP (m) to cut or restore it; ${follows}`,
  width: `Colour shows the importance by each method. Click heads to cut or restore them, choose how many neurons of an MLP stay; ${follows}`,
};

export function ImportanceStage() {
  const model = useLab((state) => state.model);
  const plan = useLab((state) => state.plan);
  const mode = useLab((state) => state.unitMode);
  const calibrate = useTask('calibrate');
  return (
    <section className="card importance" id="blocks" aria-labelledby="importance-title" tabIndex={-1}>
      <div className="bar">
        <h2 id="importance-title">{titles[mode]}</h2>
        <span className="spring" />
        <Segmented
          legend="What a click cuts"
          options={units}
          value={mode}
          onChange={(unit) => void commands.chooseUnits(unit)}
        />
        <PlanTools />
      </div>
      <p className="sub">{hints[mode]}</p>
      {calibrate.phase === 'failed' && <FailureNote title="Calibration failed" failure={calibrate.failure} />}
      {model && plan ? (
        <>
          {mode === 'width' ? (
            <WidthStage model={model} plan={plan} />
          ) : (
            <DepthStage model={model} plan={plan} mode={mode} />
          )}
          <Repair plan={plan} />
        </>
      ) : (
        <StripPlaceholder />
      )}
    </section>
  );
}

/** The strip while blocks or sub-blocks are removed. */
function DepthStage({ model, plan, mode }: { model: ModelInfo; plan: PruningPlan; mode: DepthMode }) {
  const ranked = useRanked(mode, useChosenCriterion());
  const shown = useRanked(mode, useShownCriterion(mode));
  return (
    <>
      <Strip model={model} plan={plan} mode={mode} ranked={shown} />
      <Legend ranked={shown} />
      <Propose ranked={ranked} mode={mode} layers={model.shape.layers.length} />
      {shown && <ScoresTable ranked={shown} />}
    </>
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
