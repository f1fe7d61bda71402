/** @file Trainings besides the one that is shown: they wait for their turn, are paused, or can go on. */
import { commands } from '../../lab/page/app';
import { activeTraining } from '../../lab/page/training';
import { ConfirmButton } from '../parts/confirmButton';
import { plural } from '../parts/format';
import { useLab } from '../parts/useLab';
import { phaseText, trainingName } from './words';

export function TrainingQueue() {
  const trainings = useLab((state) => state.trainings);
  const active = activeTraining(trainings);
  const others = trainings.filter((each) => each !== active);
  if (others.length === 0) return null;
  return (
    <section className="retrain-queue" aria-labelledby="retrain-queue-title">
      <h3 id="retrain-queue-title">{plural(others.length, 'more training')}</h3>
      <ol>
        {others.map((training) => {
          const { id, phase } = training;
          const name = trainingName(training);
          return (
            <li key={id}>
              <span className="retrain-queued">
                <b>{name}</b> <span className="soft">{phaseText(training)}</span>
              </span>
              {(phase === 'paused' || phase === 'interrupted' || phase === 'failed') && (
                <button
                  type="button"
                  className="button small"
                  aria-label={`Resume ${name}`}
                  onClick={() => void commands.resumeTraining(id)}
                >
                  Resume
                </button>
              )}
              {phase === 'waiting' && (
                <button
                  type="button"
                  className="button small quiet"
                  aria-label={`Cancel ${name}`}
                  onClick={() => void commands.stopTraining(id, false)}
                >
                  Cancel
                </button>
              )}
              {phase !== 'waiting' && (
                <ConfirmButton
                  label="Discard"
                  description={`Discard ${name}`}
                  confirm="Discard"
                  onConfirm={() => void commands.stopTraining(id, false)}
                />
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
