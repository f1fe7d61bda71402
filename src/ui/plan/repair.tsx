/** @file Repairs the edited plan without training: which method, and the perplexity before and after. */
import { commands } from '../../lab/page/app';
import type { PruningPlan } from '../../pruning/plan';
import { type RepairMethod, repairLabels } from '../../pruning/repairMethods';
import { useCurrent } from '../now/useCurrent';
import { FailureNote } from '../parts/failureNote';
import { perplexity, perplexityChange } from '../parts/format';
import { ProgressBar } from '../parts/progressBar';
import { Segmented } from '../parts/segmented';
import { useLab, useTask } from '../parts/useLab';
import { repairMeanings, repairOf, repairsOf } from './repairNames';

export function Repair({ plan }: { plan: PruningPlan }) {
  const own = useLab(({ variants, ownWeights }) => variants.find(({ id }) => id === ownWeights));
  const task = useTask('repair');
  const few = useLab(({ calibration, model }) => isTooFew(calibration?.tokens, model?.shape.hidden));
  const noGpu = useLab((state) => state.ready && state.device === null);
  const method = own ? repairOf(own.recipe) : null;
  const offered = repairsOf(plan);
  // A variant with a patch from outside is not the page's to repair.
  if (noGpu || offered.length === 0 || (own && method === null)) return null;
  const options: { value: RepairMethod | 'none'; label: string }[] = [
    { value: 'none', label: 'none' },
    ...offered.map((value) => ({ value, label: repairLabels[value] })),
  ];
  return (
    <div className="propose repair">
      <span id="repair-label">Repair without training</span>
      <Segmented
        legend="Repair without training"
        options={options}
        value={method ?? 'none'}
        onChange={(value) => (value === 'none' ? commands.withoutRepair() : void commands.repairPlan(value))}
      />
      {task.phase === 'running' ? (
        <ProgressBar label="Repairing" progress={task.progress} taskKey="repair" />
      ) : (
        <span className="hint">
          {method ? repairMeanings[method] : 'on the calibration text; the weights that change are stored'}
        </span>
      )}
      {method === 'replace-me' && few && (
        <p className="hint">
          The calibration has fewer tokens than the hidden state has channels: the map fits these tokens exactly and may
          not hold for others. Calibrate on more text.
        </p>
      )}
      {method && <BeforeAndAfter variant={own?.id} />}
      {task.phase === 'failed' && <FailureNote title="The plan could not be repaired" failure={task.failure} />}
    </div>
  );
}

/** Least squares over fewer rows than columns interpolate: they say nothing of other text. */
const isTooFew = (tokens: number | undefined, hidden: number | undefined): boolean =>
  tokens !== undefined && hidden !== undefined && tokens < hidden;

function BeforeAndAfter({ variant }: { variant: string | undefined }) {
  const { current } = useCurrent();
  const repaired = useLab((state) => state.repaired);
  const before = repaired?.variant === variant ? repaired?.before : null;
  if (!before || !current?.fresh || before.text.hash !== current.result.text.hash) return null;
  const after = current.result.perplexity;
  return (
    <p className="before-after">
      Perplexity <b>{perplexity(before.perplexity)}</b> before the repair, <b>{perplexity(after)}</b> after:{' '}
      <span className={after > before.perplexity ? 'worse' : 'better'}>
        {perplexityChange(after, before.perplexity)}
      </span>
    </p>
  );
}
