/**
 * @file ReplaceMe (Shopkhoev et al., 2025): the block before a cut takes the removed blocks' part by a linear map of its MLP's output,
 * found by least squares and merged into downProj.
 */
import { LabError } from '../errors';
import { type LayerShape, layerRoles } from '../model/shape';
import type { Weighted } from '../pruning/cuts';
import { bytesOf, type Correction, corrected, leastSquares, operationsOf } from './leastSquares';
import { placeIn, type Run, runsOf, withoutRuns } from './runs';
import { joined, ownTensor, valuesOf, withTensors } from './tensors';
import type { OwnTensor, Repair, RepairProbe, Setting } from './types';

/** Multiplications of one cut, some minutes of a thread, and bytes of its arrays. */
const mostOperations = 5e11;
const mostBytes = 2 ** 31;

/**
 * For every run of removed blocks, in ascending order, on the model as it is then (without the earlier runs, repaired): with block i*
 * right before the cut, M its MLP's output, Y the state behind i* and Z the state behind the last removed block, T minimizes
 * ‖M T − (Z + M − Y)‖². W of downProj becomes TᵀW, its bias Tᵀb. Float64; the matrix is rounded to the checkpoint's type.
 *
 * The published code differs in two places: padding is part of its least squares, here it is not; and Z of a cut that ends at the last
 * block is there the state behind the final norm, here the state before it, which is what the head's norm reads.
 *
 * @throws LabError 'not-available' where a cut has no block before it, that block no MLP or a norm on its output, or the sizes are
 * beyond what a thread computes in minutes; 'non-finite' where the new matrix leaves float32
 */
export async function replaceMe({ base, before, plan, sequences, open, ...task }: Setting): Promise<Repair> {
  const runs = runsOf(before, plan);
  if (runs.length === 0) throw noBlocks();
  const tokens = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
  const after = withoutRuns(before, plan, runs);
  for (const run of runs) refuse(before, after, run, tokens);
  let tensors: OwnTensor[] = [];
  const cut: Run[] = [];
  for (const run of runs) {
    const current = await withTensors(base, withoutRuns(before, plan, cut), tensors, task);
    const first = placeIn(current, before, run.first);
    const layer = current.shape.layers[first - 1]!;
    const setting = { tokens, first, end: first + run.end - run.first };
    const [m, r] = await open(current, (probe) => measure(probe, current, sequences, setting, task), task);
    const correction = await leastSquares(m, r, current.shape.hidden, task).catch((thrown: unknown) => {
      throw thrown instanceof RangeError ? noMap(layer.source, thrown) : thrown;
    });
    tensors = joined(tensors, await merged(current, layer, correction, task));
    cut.push(run);
  }
  return { tensors, rescalings: [] };
}

/** M and R = Z − Y [tokens, hidden], sequence behind sequence. */
async function measure(
  probe: RepairProbe,
  { shape: { hidden } }: Weighted,
  sequences: Setting['sequences'],
  { tokens, first, end }: { readonly tokens: number; readonly first: number; readonly end: number },
  task: Pick<Setting, 'signal' | 'onProgress'>,
): Promise<[Float64Array, Float64Array]> {
  const m = new Float64Array(tokens * hidden);
  const r = new Float64Array(tokens * hidden);
  const places: number[] = [];
  sequences.reduce((at, sequence, index) => {
    places[index] = at;
    return at + sequence.length * hidden;
  }, 0);
  const points = [
    { what: 'mlp', layer: first - 1 },
    { what: 'stream', layer: first },
    { what: 'stream', layer: end },
  ] as const;
  await probe.capture(
    sequences,
    points,
    () =>
      ([output, y, z], sequence) => {
        const place = places[sequence]!;
        m.set(output!, place);
        for (let at = 0; at < y!.length; at++) r[place + at] = z![at]! - y![at]!;
      },
    task,
  );
  return [m, r];
}

/** downProj and its bias with the map merged into them. */
async function merged(
  { shape, weights }: Weighted,
  layer: LayerShape,
  correction: Correction,
  task: Pick<Setting, 'signal' | 'onProgress'>,
): Promise<OwnTensor[]> {
  const roles = (['downProj', 'downBias'] as const).filter((role) => layerRoles(layer).includes(role));
  const made: OwnTensor[] = [];
  for (const role of roles) {
    const { dims, dtype } = weights.layerTensor(role, layer.source);
    const old = await valuesOf(weights, weights.layerTensor(role, layer.source), task);
    const values = await corrected(old, shape.hidden, correction, task);
    const tensor = ownTensor(shape, role, layer.source, dims, values, role === 'downBias' ? 'F32' : dtype);
    if (!values.every(Number.isFinite)) throw noMap(layer.source, new RangeError('a value is not finite'));
    made.push(tensor);
  }
  return made;
}

/** Refuses a cut that the method cannot mend. */
function refuse({ shape }: Weighted, after: Weighted, { first }: Run, tokens: number): void {
  const before = after.shape.layers.findLast(({ source }) => source < shape.layers[first]!.source);
  const cut = `the cut at block ${shape.layers[first]!.source}`;
  if (before === undefined) throw impossible(`${cut} has no block before it whose MLP could take its part.`);
  if (before.ffn === 0) throw impossible(`block ${before.source} before ${cut} has no MLP that could take its part.`);
  if (before.normPlacement !== undefined) {
    throw impossible('a norm follows the MLP in this family, so that no linear map can be merged into downProj.');
  }
  const { hidden } = shape;
  if (operationsOf(tokens, hidden, before.ffn) <= mostOperations && bytesOf(tokens, hidden) <= mostBytes) return;
  throw impossible(
    `a hidden state of ${hidden} channels with ${tokens} tokens and ${before.ffn} neurons would take too long or too much memory.`,
    `Calibrate with fewer tokens, use 'prune-and-comp', or the repair 'none'.`,
  );
}

const another = "Use 'prune-and-comp', or the repair 'none'.";

function impossible(reason: string, remedy = another): LabError {
  return new LabError('not-available', `The repair 'replace-me' does not fit: ${reason}`, remedy);
}

function noBlocks(): LabError {
  return new LabError(
    'not-available',
    "The repair 'replace-me' takes the part of removed blocks, and no block is removed beyond what the parent lacks.",
    "Use 'flap-bias' for heads and neurons, or the repair 'none'.",
  );
}

function noMap(source: number, cause: Error): LabError {
  return new LabError(
    'non-finite',
    `The linear map of the MLP of block ${source} is not to be had: ${cause.message}.`,
    `Calibrate on another text. ${another}`,
    { cause },
  );
}
