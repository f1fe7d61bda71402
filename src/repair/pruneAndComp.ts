/**
 * @file Prune&Comp (AAAI 2026): removed blocks leave the hidden state smaller than the next block was trained on; one factor per cut
 * gives it its size back. The factors are applied when weights are read (`weights/rescaled.ts`).
 */
import { LabError } from '../errors';
import type { TokenSequences } from '../numerics/tokens';
import type { Weighted } from '../pruning/cuts';
import type { Rescaling } from '../pruning/variant';
import { canRescale, rescaled } from '../weights/rescaled';
import { placeIn, type Run, runsOf, withoutRuns } from './runs';
import type { Repair, RepairProbe, Setting } from './types';

/** Mean over the tokens of |h| for each channel, of h [tokens, hidden]. */
export function meanSizes(states: ArrayLike<number>, hidden: number): Float64Array {
  const sums = new Float64Array(hidden);
  for (let at = 0; at < states.length; at += hidden) {
    for (let channel = 0; channel < hidden; channel++) sums[channel]! += Math.abs(states[at + channel]!);
  }
  return sums.map((sum) => sum / (states.length / hidden));
}

/**
 * α: the mean over samples, then over channels, of the size behind a cut over the size before it. A channel that is 0 in a sample
 * before the cut has no ratio there: it is left out.
 * @param before of each sample the mean sizes [hidden] at the input of the first removed block
 * @param after the same at the input of the block after the cut
 * @returns NaN where no channel has a ratio
 */
export function meanRatio(before: readonly Float64Array[], after: readonly Float64Array[]): number {
  const hidden = before[0]?.length ?? 0;
  let [sum, channels] = [0, 0];
  for (let channel = 0; channel < hidden; channel++) {
    let [ratios, samples] = [0, 0];
    before.forEach((sizes, sample) => {
      if (sizes[channel] === 0) return;
      ratios += after[sample]![channel]! / sizes[channel]!;
      samples += 1;
    });
    if (samples === 0) continue;
    sum += ratios / samples;
    channels += 1;
  }
  return sum / channels;
}

/** α between two boundaries of an open model. */
async function measureFactor(
  probe: RepairProbe,
  sequences: TokenSequences,
  hidden: number,
  [first, end]: readonly [number, number],
  task: Pick<Setting, 'signal' | 'onProgress'>,
): Promise<number> {
  const before: Float64Array[] = [];
  const after: Float64Array[] = [];
  const points = [first, end].map((layer) => ({ what: 'stream', layer }) as const);
  await probe.capture(
    sequences,
    points,
    () =>
      ([start, behind], sequence) => {
        before[sequence] = meanSizes(start!, hidden);
        after[sequence] = meanSizes(behind!, hidden);
      },
    task,
  );
  return meanRatio(before, after);
}

/**
 * A factor for every run of removed blocks, in ascending order. Each is measured on the model as it is then: without the earlier
 * runs, with their factors, and without all that the plan removes of blocks that stay. A run at the end of the model gets none:
 * the final norm would undo it.
 *
 * @throws LabError 'not-available' where no run gets a factor, or the family's norms allow none; 'non-finite' for a factor that is
 * not a positive number
 */
export async function pruneAndComp({ before, plan, sequences, open, ...task }: Setting): Promise<Repair> {
  const { shape } = before;
  if (!canRescale(shape)) throw withoutInputNorms();
  const runs = runsOf(before, plan);
  if (runs.length === 0) throw noBlocks();
  const inside = runs.filter(({ end }) => end < shape.layers.length);
  if (inside.length === 0) throw onlyAtTheEnd();
  const rescalings: Rescaling[] = [];
  const cut: Run[] = [];
  for (const run of inside) {
    const plain = withoutRuns(before, plan, cut);
    const current: Weighted =
      rescalings.length === 0 ? plain : { ...plain, weights: rescaled(plain.shape, plain.weights, rescalings) };
    const first = placeIn(current, before, run.first);
    const boundaries = [first, first + run.end - run.first] as const;
    const factor = await open(
      current,
      (probe) => measureFactor(probe, sequences, shape.hidden, boundaries, task),
      task,
    );
    const { source } = shape.layers[run.first]!;
    if (!(factor > 0 && Number.isFinite(factor))) throw noFactor(source, factor);
    rescalings.push({ before: source, factor });
    cut.push(run);
  }
  return { tensors: [], rescalings };
}

const another = "Use 'replace-me', or the repair 'none'.";

function noBlocks(): LabError {
  return new LabError(
    'not-available',
    "The repair 'prune-and-comp' gives the hidden state its size back after removed blocks, and no block is removed beyond what the parent lacks.",
    "Use 'flap-bias' for heads and neurons, or the repair 'none'.",
  );
}

function onlyAtTheEnd(): LabError {
  return new LabError(
    'not-available',
    "Only the last blocks are removed: the final norm undoes any factor, so that 'prune-and-comp' changes nothing.",
    another,
  );
}

function withoutInputNorms(): LabError {
  return new LabError(
    'not-available',
    "The blocks of this family read the hidden state without a norm, so that 'prune-and-comp' would change what they compute.",
    another,
  );
}

function noFactor(source: number, factor: number): LabError {
  return new LabError(
    'non-finite',
    `The factor of the cut at block ${source}: expected a positive number, got ${factor}.`,
    `Calibrate on another text. ${another}`,
  );
}
