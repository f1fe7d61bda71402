/**
 * @file One pass over the blocks that computes the loss without each unit.
 *
 * Up to block j, the model without block j is the base. So the blocks are walked once with a growing batch of hidden
 * states, slot 0 being the base: before block j, the variant "without j" joins as a copy of slot 0 and is passed over
 * once; every slot that is already there goes through the block. A variant without an attention joins before that
 * attention and takes part from the MLP on; one without an MLP joins behind the attention. Weights are read once for
 * all variants, products are large, and about half of the work of separate passes remains.
 *
 * Slots are numbered in the order in which they take part, so that those at work are always the first ones.
 */

import { LabError } from '../../errors';
import type { LayerShape } from '../../model/shape';
import { type DepthKind, type DepthUnit, formatUnit } from '../../model/unit';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import { type EngineParts, embedBatch, progressSteps, sumLosses, uploadWords } from '../pass/runtime';
import { type Batch, makeBatches, predictedTokens } from '../pass/sequences';

export interface SweepOptions extends TaskOptions {
  /** The layers to start from, in whose list a unit's `layer` counts. Default: the base's. */
  readonly layers?: readonly LayerShape[] | undefined;
}

/** The order in which the variants of one layer join. */
const joinOrder = { attention: 0, block: 1, mlp: 2 } as const;

/** Mean NLL in nats over all predicted tokens without each of the removals, in their order. */
export async function removalSweep(
  parts: EngineParts,
  sequences: TokenSequences,
  removals: readonly DepthUnit[],
  options: SweepOptions,
): Promise<number[]> {
  const layers = options.layers ?? parts.shape.layers;
  const count = layers.length;
  for (const { layer } of removals) {
    if (Number.isInteger(layer) && layer >= 0 && layer < count) continue;
    throw new LabError(
      'bad-argument',
      `removal: expected a layer in [0, ${count}), got ${layer}.`,
      'Name a layer of the model.',
    );
  }
  const tokens = predictedTokens(sequences);
  if (tokens === 0) {
    throw new LabError(
      'bad-argument',
      'sequences: none has two tokens, so nothing is predicted.',
      'Give longer sequences.',
    );
  }
  // Attentions leave first, then blocks, then MLPs: the order in which their slots take part.
  const unique = new Map(removals.map((removal) => [formatUnit(removal), removal]));
  const ordered = [...unique.values()].sort((a, b) => a.layer - b.layer || joinOrder[a.kind] - joinOrder[b.kind]);

  const sums = new Map<string, number>();
  const rounds = [...plan(parts, sequences, ordered)];
  const steps = rounds.reduce((sum, round) => sum + costOf(round.removals, count) * round.batch.sequences.length, 0);
  const step = progressSteps(options, 'sweep', steps, ordered.length, 'removals');
  parts.forward.follow(rounds.flatMap(() => layers));
  for (const { batch, removals: group } of rounds) {
    const losses = await sweepBatch(parts, layers, batch, group, (slots) => step(slots * batch.sequences.length));
    group.forEach((removal, index) => {
      sums.set(formatUnit(removal), (sums.get(formatUnit(removal)) ?? 0) + losses[index]!);
    });
  }
  return removals.map((removal) => sums.get(formatUnit(removal))! / tokens);
}

interface Round {
  readonly batch: Batch;
  readonly removals: readonly DepthUnit[];
}

/**
 * Cuts sequences and removals so that the hidden states of all slots of a round fit the budget: as many sequences as
 * fit with all removals; where not even one does, one sequence with as many removals as fit.
 */
function* plan(
  { shape, sweepBytes }: EngineParts,
  sequences: TokenSequences,
  removals: readonly DepthUnit[],
): Generator<Round> {
  const slotRows = Math.floor(sweepBytes / (4 * shape.hidden));
  const batches = makeBatches(sequences, Math.floor(slotRows / (removals.length + 1)));
  for (const batch of batches) {
    const most = Math.max(1, Math.floor(slotRows / batch.tokens.length) - 1);
    for (let first = 0; first < removals.length; first += most) {
      yield { batch, removals: removals.slice(first, first + most) };
    }
  }
}

/** Passes through a block or the head that a round makes: the unit of its progress. */
function costOf(removals: readonly DepthUnit[], layers: number): number {
  const lastJoin = Math.max(...removals.map(({ layer }) => layer));
  const passes = removals.reduce((sum, { layer }) => sum + layers - layer, 0);
  return lastJoin + 1 + passes;
}

/** Σ NLL over a batch without each of the removals, which are in the order of their slots. */
async function sweepBatch(
  parts: EngineParts,
  layers: readonly LayerShape[],
  batch: Batch,
  removals: readonly DepthUnit[],
  step: (slots: number) => void,
): Promise<number[]> {
  const { buffers, forward, shape, queue } = parts;
  const rows = batch.tokens.length;
  const slotBytes = rows * shape.hidden * 4;
  const hidden = await buffers.acquire((removals.length + 1) * slotBytes, 'hidden of all variants');
  const between = await buffers.acquire(slotBytes, 'hidden copy');
  await embedBatch(parts, batch, hidden);

  /** Slots from … to − 1 as rows. */
  const slots = (from: number, to: number) => ({ buffer: hidden, first: from * rows, count: (to - from) * rows });
  const join = (count: number): void => {
    if (count === 0) return;
    // Within one buffer WebGPU copies nothing, so the state goes by way of another.
    queue.copy(hidden, 0, between, 0, slotBytes);
    for (let slot = joined + 1; slot <= joined + count; slot++) {
      queue.copy(between, 0, hidden, slot * slotBytes, slotBytes);
    }
    joined += count;
  };
  // Variants that have joined; their slots are 1 … joined.
  let joined = 0;
  for (const [index, layer] of layers.entries()) {
    const leaving = (kind: DepthKind): number =>
      removals.filter((removal) => removal.layer === index && removal.kind === kind).length;
    // Slot 0 has done its work when no variant is left to copy it.
    const from = joined < removals.length ? 0 : 1;
    const before = joined + 1;
    join(leaving('attention'));
    const attended = joined + 1;
    join(leaving('block'));
    await forward.attention(layer, slots(from, before), batch.seqLen);
    join(leaving('mlp'));
    const stillNeeded = joined < removals.length ? 0 : 1;
    await forward.mlp(layer, slots(stillNeeded, attended));
    step(before - from);
  }
  const variants = slots(1, removals.length + 1);
  const repeated = new Uint32Array(variants.count);
  for (let first = 0; first < repeated.length; first += rows) repeated.set(batch.targets, first);
  const targets = await uploadWords(parts, repeated, 'targets');
  const nll = await buffers.acquire(variants.count * 4, 'nll');
  await forward.nll(variants, targets, nll);
  const losses = new Float32Array(await queue.read(nll, variants.count * 4));
  step(removals.length);
  for (const used of [hidden, between, targets, nll]) buffers.release(used);
  return removals.map((_, index) => sumLosses(batch, losses, index * rows).reduce((a, b) => a + b, 0));
}
