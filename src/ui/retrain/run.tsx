/** @file The training that runs or can go on, with its chart; after its end, what it became. */
import type { TrainingInfo } from '../../lab/contract/retraining';
import { commands } from '../../lab/page/app';
import { activeTraining } from '../../lab/page/training';
import { TrainingFigure } from '../charts/training/trainingFigure';
import { ConfirmButton } from '../parts/confirmButton';
import { FailureNote } from '../parts/failureNote';
import { significant } from '../parts/format';
import { SoftwareBadge } from '../parts/softwareBadge';
import { useLab, useTask } from '../parts/useLab';
import { EndedTrainings } from './ended';
import { duration, phaseText, trainingName } from './words';

export function Run() {
  const active = useLab((state) => activeTraining(state.trainings));
  if (active === null) return <EndedTrainings />;
  return (
    <section className="retrain-run" aria-labelledby="retrain-run-title">
      <h3 id="retrain-run-title">{trainingName(active)}</h3>
      <Progress training={active} />
      {active.phase === 'interrupted' && (
        <p className="hint">
          {active.checkpoint === null
            ? 'The page was closed before this training had stored a checkpoint: it starts from step 1.'
            : `The page was closed, or the GPU was lost, while this training ran. It goes on after step ${active.checkpoint}, where its last checkpoint was stored.`}
        </p>
      )}
      {active.failure && (
        <FailureNote
          title={active.phase === 'interrupted' ? 'The training was interrupted' : 'The training failed'}
          failure={active.failure}
        />
      )}
      <Actions training={active} />
      <TrainingFigure run={active} name={trainingName(active)} />
    </section>
  );
}

function Progress({ training }: { training: TrainingInfo }) {
  const { phase, step, steps, tokensPerSecond, secondsLeft } = training;
  const software = useLab((state) => state.device?.software === true);
  const evaluating = useStage(phase);
  const words = phaseText(training);
  return (
    <div className="progress">
      <div className="progress-text">
        <span className="progress-stage">{words}</span>
        <span className="progress-count">
          {[
            evaluating,
            tokensPerSecond === null ? '' : `${significant(tokensPerSecond)} tokens/s`,
            secondsLeft === null || phase !== 'running' ? '' : `${duration(secondsLeft)} left`,
          ]
            .filter((part) => part !== '')
            .join(' · ')}{' '}
          {software && tokensPerSecond !== null && <SoftwareBadge />}
        </span>
      </div>
      <div
        className="track"
        role="progressbar"
        aria-label={`Training ${trainingName(training)}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((100 * step) / Math.max(1, steps))}
        aria-valuetext={words}
      >
        <div
          className={phase === 'running' ? 'fill' : 'fill resting'}
          style={{ width: `${(100 * step) / Math.max(1, steps)}%` }}
        />
      </div>
    </div>
  );
}

/** What the laboratory does before the first step, such as reading the text. */
function useStage(phase: TrainingInfo['phase']): string {
  return useLab(({ tasks, trainings }) => {
    const before = trainings.find((each) => each.phase === 'running');
    if (phase !== 'running' || !before || before.step > 0) return '';
    for (const [key, task] of Object.entries(tasks)) {
      if (key.startsWith('training:') && task?.phase === 'running') return task.progress?.stage ?? '';
    }
    return '';
  });
}

function Actions({ training }: { training: TrainingInfo }) {
  const { id, phase, step, checkpoint } = training;
  const canGoOn = phase === 'paused' || phase === 'interrupted' || phase === 'failed';
  const hasSteps = phase === 'interrupted' || phase === 'failed' ? checkpoint !== null : step > 0;
  const pausing = useTask('retrain').phase === 'running';
  return (
    <div className="retrain-actions">
      {phase === 'running' && (
        <button type="button" className="button" onClick={() => void commands.pauseTraining(id)}>
          Pause
        </button>
      )}
      {canGoOn && (
        <button type="button" className="button primary" onClick={() => void commands.resumeTraining(id)}>
          Resume
        </button>
      )}
      {hasSteps && (
        <button
          type="button"
          className="button"
          title="Ends the training; its weights as they are become a variant"
          disabled={pausing}
          onClick={() => void commands.stopTraining(id, true)}
        >
          {phase === 'interrupted' || phase === 'failed' ? 'Keep what is there' : 'Stop and keep'}
        </button>
      )}
      <ConfirmButton
        label="Discard"
        description="Discard this training"
        confirm="Discard"
        onConfirm={() => void commands.stopTraining(id, false)}
      />
    </div>
  );
}
