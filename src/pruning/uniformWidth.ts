/** @file The same share of heads and of neurons in every layer: Wanda-sp, magnitude-sp, random and, in its free blocks, LLM-Pruner. */
import { closestAt } from './closest';
import { type LayerStructures, neuronsGone, parametersGone, type Structures, type Taken } from './structures';
import type { WidthMultiple } from './widthRule';

/** How many of `count` structures go at a share: rounded down (Wanda-sp), or what does not stay if that is rounded down (LLM-Pruner). */
export type Rounding = 'removed' | 'kept';

/** Shares such as 3/7 times 7 must give 3, whatever their last digits. */
const slack = 1e-9;

function gone(rounding: Rounding, count: number, share: number): number {
  return rounding === 'removed' ? Math.floor(share * count + slack) : count - Math.floor(count * (1 - share) + slack);
}

/** The same without slack, in the arithmetic of the official code: 29 % of 100 are 28. */
function goneAsPublished(rounding: Rounding, count: number, share: number): number {
  return rounding === 'removed' ? Math.trunc(share * count) : count - Math.trunc(count * (1 - share));
}

const headsAt = ({ order, most }: Structures, rounding: Rounding, share: number): number =>
  Math.min(most, gone(rounding, order.length, share));

/** Every share at which the structures of some layer change, ascending, from 0 to 1. */
function sharesOf(structures: readonly Structures[]): number[] {
  const counts = new Set(structures.filter(({ most }) => most > 0).map(({ order }) => order.length));
  const shares = [...counts].flatMap((count) => Array.from({ length: count + 1 }, (_, part) => part / count));
  return [...new Set([0, ...shares])].sort((a, b) => a - b);
}

/**
 * What to take so that `target` parameters go, as closely as whole structures allow. One share of both decides how many heads
 * go; then the share of neurons alone meets the target.
 */
export function takeUniformly(
  layers: readonly LayerStructures[],
  target: number,
  rounding: Rounding,
  roundTo: WidthMultiple | undefined,
): Taken[] {
  const neuronsAt = (neurons: Structures, share: number) =>
    neuronsGone(neurons, gone(rounding, neurons.order.length, share), roundTo);
  const at = (headShare: number, neuronShare: number) => (layer: LayerStructures) => ({
    heads: headsAt(layer.heads, rounding, headShare),
    neurons: neuronsAt(layer.neurons, neuronShare),
  });
  const goneAt = (headShare: number, neuronShare: number) => parametersGone(layers, at(headShare, neuronShare));

  const shares = sharesOf(layers.flatMap(({ heads, neurons }) => [heads, neurons]));
  const neuronShares = sharesOf(layers.map(({ neurons }) => neurons));
  const closest = closestAt(shares.length, (index) => goneAt(shares[index]!, shares[index]!), target);
  const found = closest.map((index) => {
    const headShare = shares[index]!;
    const [best] = closestAt(neuronShares.length, (each) => goneAt(headShare, neuronShares[each]!), target);
    const neuronShare = neuronShares[best!]!;
    return { headShare, neuronShare, error: Math.abs(goneAt(headShare, neuronShare) - target) };
  });
  // Where the neurons of the closer one do not suffice, the next number of heads does better.
  const free = layers.filter(({ neurons }) => neurons.most > 0);
  const step = free.reduce((total, { neurons }) => total + neurons.parameters * (roundTo ?? 1), 0);
  const chosen = found.find(({ error }) => error <= step / 2) ?? found.toSorted((a, b) => a.error - b.error)[0]!;
  return layers.map(at(chosen.headShare, chosen.neuronShare));
}

/** What the official code takes at a share of every layer's heads and neurons. */
export function takeShare(
  layers: readonly LayerStructures[],
  share: number,
  rounding: Rounding,
  roundTo: WidthMultiple | undefined,
): Taken[] {
  return layers.map(({ heads, neurons }) => ({
    heads: Math.min(heads.most, goneAsPublished(rounding, heads.order.length, share)),
    neurons: neuronsGone(neurons, goneAsPublished(rounding, neurons.order.length, share), roundTo),
  }));
}

/** The largest share at which the official code empties no layer. */
export function largestShare(layers: readonly LayerStructures[], rounding: Rounding): number {
  const removable = layers.flatMap(({ heads, neurons }) => [heads, neurons]).filter(({ most }) => most > 0);
  if (removable.length === 0) return 0;
  if (rounding === 'removed') return 1;
  return 1 - 1 / Math.min(...removable.map(({ order }) => order.length));
}
