/** @file Depth against width: the preset, a budget of the user's own, and the charts of what was measured. */
import { presets } from '../../lab/contract/presets';
import { commands } from '../../lab/page/app';
import { ComparisonCharts } from '../charts/compare/comparisonCharts';
import { Disclosure } from '../parts/disclosure';
import { FailureNote } from '../parts/failureNote';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { BudgetForm } from './budgetForm';

const [preset] = presets;

export function DepthWidthStage() {
  const model = useLab((state) => state.model);
  const device = useLab((state) => state.device);
  const ready = useLab((state) => state.ready);
  const task = useTask('compare');
  const running = task.phase === 'running';
  const request = preset.request(device);
  return (
    <section className="card depth-width" id="depth-width" aria-labelledby="depth-width-title" tabIndex={-1}>
      <div className="bar">
        <h2 id="depth-width-title">Depth against width</h2>
        <span className="spring" />
        {!running && (
          <button
            type="button"
            className="button primary"
            disabled={!model || !ready}
            onClick={() => void commands.compare(request)}
          >
            {preset.title}
          </button>
        )}
      </div>
      <p className="sub">{preset.meaning}</p>
      {running && <ProgressBar label="Comparing" progress={task.progress} taskKey="compare" />}
      {task.phase === 'failed' && <FailureNote title="The comparison failed" failure={task.failure} />}
      <Refusals />
      {model && (
        <Disclosure summary="Own budget">
          <BudgetForm key={model.id} preset={request} disabled={running} />
        </Disclosure>
      )}
      <ComparisonCharts />
    </section>
  );
}

/** Methods that the last comparison left out, with the reason. */
function Refusals() {
  const refused = useLab((state) => state.refused);
  return refused.map(({ method, roundTo, message, remedy }) => (
    <FailureNote
      key={`${method} ${roundTo}`}
      title={`${method}${roundTo === undefined ? '' : `, widths of ${roundTo}`} is not in the comparison`}
      failure={{ code: 'not-available', message, remedy }}
    />
  ));
}
