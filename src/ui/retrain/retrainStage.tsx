/** @file The stage that trains variants: its form, the run as it goes, and the trainings that wait. */
import { useLab } from '../parts/useLab';
import { Experiment } from './experiment';
import { RetrainForm } from './retrainForm';
import { Run } from './run';
import { TrainingQueue } from './trainingQueue';

export function RetrainStage() {
  const model = useLab((state) => state.model);
  const noGpu = useLab((state) => state.ready && state.device === null);
  return (
    <section className="card retrain" id="retrain" aria-labelledby="retrain-title" tabIndex={-1}>
      <h2 id="retrain-title">Retrain</h2>
      <p className="sub">
        Training repairs a pruned variant on the GPU of this device. The trained weights become a variant of their own,
        which the page benchmarks, compares and exports like any other.
      </p>
      {noGpu && <p className="hint">Training runs in the WGSL engine, which needs WebGPU.</p>}
      {model && <RetrainForm key={model.id} model={model} disabled={noGpu} />}
      <Run />
      <TrainingQueue />
      <Experiment />
    </section>
  );
}
