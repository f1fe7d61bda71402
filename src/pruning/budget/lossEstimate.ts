/**
 * @file What a block is thought to lose if it keeps only some of its groups and neurons: between the measured loss of the whole block
 * and those without its attention, its MLP or both, by the share of the scores that goes. Estimates only rank steps.
 */
import type { BlockSizes } from './sizes';

/** Measured increases of the loss, nats per token. */
export interface BlockLosses {
  /** Without the attention; 0 where the block has none. */
  readonly attention: number;
  /** Without the MLP; 0 where the block has none. */
  readonly mlp: number;
  /** Without either. */
  readonly block: number;
}

/** By index in the order of removal: how much of all scores of a sub-block is gone once so many are removed; 0 to 1. */
export type GoneShares = readonly number[];

/**
 * The cumulative shares of scores: [count + 1], from 0 (none removed) to 1 (all). Scores are energies, so that those of channels that
 * do not depend on one another add.
 * @param energies of each group or neuron, in the order of removal
 */
export function goneShares(energies: readonly number[]): GoneShares {
  const total = energies.reduce((sum, energy) => sum + energy, 0);
  const shares = [0];
  let gone = 0;
  for (const [index, energy] of energies.entries()) {
    gone += energy;
    // If all scores are 0, each group or neuron gets an equal share.
    shares.push(total > 0 ? gone / total : (index + 1) / energies.length);
  }
  if (energies.length > 0) shares[energies.length] = 1; // exactly, whatever the sum was rounded to
  return shares;
}

/** The estimated increase of the loss of the model if a block keeps these sizes. */
export function lossOfSizes(losses: BlockLosses, groups: GoneShares, neurons: GoneShares, sizes: BlockSizes): number {
  const share = (shares: GoneShares, kept: number) => (shares.length <= 1 ? 1 : shares[shares.length - 1 - kept]!);
  const [attention, mlp] = [share(groups, sizes.groups), share(neurons, sizes.ffn)];
  // An infinite loss has no share: it counts as soon as something goes.
  const part = (loss: number, gone: number) => (gone === 0 ? 0 : loss * gone);
  // A sub-block that is missing from the start does not lose a second time.
  if (groups.length <= 1) return part(losses.mlp, mlp);
  if (neurons.length <= 1) return part(losses.attention, attention);
  const together = Number.isFinite(losses.block) ? losses.block - losses.attention - losses.mlp : losses.block;
  return (
    part(losses.attention, attention) +
    part(losses.mlp, mlp) +
    part(Number.isNaN(together) ? 0 : together, attention * mlp)
  );
}
