/** @file What the training would take of GPU memory, said before it starts. */
import type { TrainingMemory } from '../../lab/contract/retraining';
import { bytes, quantity } from '../parts/format';
import { useLab } from '../parts/useLab';

export function MemoryLine() {
  const answer = useLab((state) => state.trainingMemory);
  if (!answer) return null;
  const { memory, failure, ofBase } = answer;
  if (failure) {
    return (
      <p className="retrain-refused" role="status">
        {failure.message} {failure.remedy}
      </p>
    );
  }
  if (!memory) return null;
  return (
    <p className="hint" role="status">
      Takes {ofBase ? 'at most ' : ''}
      <b>{bytes(memory.total)}</b> of GPU memory{memory.limit !== null && ` of ${bytes(memory.limit)}`}:{' '}
      {partsOf(memory)}. {quantity(memory.trained)} of {quantity(memory.parameters)} parameters are trained
      {memory.blockByBlock && ', one block at a time with its moments outside of the GPU'}.
    </p>
  );
}

/** 'weights 10.5 MB + gradients 1.2 MB + moments 2.4 MB'. */
function partsOf({ weights, gradients, moments, teacher, total }: TrainingMemory): string {
  const rest = total - weights - gradients - moments - teacher;
  const parts = [
    ['weights', weights],
    ['gradients', gradients],
    ['moments', moments],
    ['what stays of the original model', teacher],
    ['activations', rest],
  ] as const;
  return parts.flatMap(([name, size]) => (size > 0 ? [`${name} ${bytes(size)}`] : [])).join(' + ');
}
