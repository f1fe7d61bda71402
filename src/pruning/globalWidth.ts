/** @file FLAP's search: heads and neurons of all layers compete by their standardized scores. */
import { type LayerStructures, neuronsGone, type Taken } from './structures';
import type { WidthMultiple } from './widthRule';

type Kind = keyof LayerStructures;
const kinds = ['heads', 'neurons'] as const satisfies readonly Kind[];

/** A head of the official code in units of a neuron: int(512 / 3), whatever the model. */
const publishedHeadCost = 170;

/** A structure: what it costs is known by its layer and kind. */
interface Place {
  readonly layer: number;
  readonly kind: Kind;
  readonly score: number;
}

/** Every structure, the lowest score first; of equal scores the lower layer, its heads, the lower index. */
function ascending(layers: readonly LayerStructures[], wanted: readonly Kind[] = kinds): Place[] {
  const places = layers.flatMap((structures, layer) =>
    wanted.flatMap((kind) => structures[kind].scores.map((score): Place => ({ layer, kind, score }))),
  );
  return places.sort((a, b) => a.score - b.score);
}

interface Walk {
  readonly taken: Taken[];
  readonly error: number;
}

/** Takes structures in their order, from `begin` on, as long as that brings what is gone closer to the target. */
function walk(
  layers: readonly LayerStructures[],
  places: readonly Place[],
  begin: readonly Taken[],
  target: number,
  roundTo: WidthMultiple | undefined,
): Walk {
  const taken = begin.map((each) => ({ ...each }));
  const neuronsOf = (layer: number): number => neuronsGone(layers[layer]!.neurons, taken[layer]!.neurons, roundTo);
  let gone = layers.reduce(
    (total, { heads, neurons }, layer) =>
      total + taken[layer]!.heads * heads.parameters + neuronsOf(layer) * neurons.parameters,
    0,
  );
  let best = { count: 0, error: Math.abs(gone - target) };
  let count = 0;
  for (const { layer, kind } of places) {
    if (gone >= target) break;
    count += 1;
    const { [kind]: structures } = layers[layer]!;
    if (taken[layer]![kind] >= structures.most) continue;
    const before = kind === 'heads' ? taken[layer]!.heads : neuronsOf(layer);
    taken[layer]![kind] += 1;
    const after = kind === 'heads' ? taken[layer]!.heads : neuronsOf(layer);
    gone += (after - before) * structures.parameters;
    const error = Math.abs(gone - target);
    if (error < best.error) best = { count, error };
  }
  // The same walk again, up to its best place.
  const found = begin.map((each) => ({ ...each }));
  for (const { layer, kind } of places.slice(0, best.count)) {
    if (found[layer]![kind] < layers[layer]![kind].most) found[layer]![kind] += 1;
  }
  return { taken: found, error: best.error };
}

/**
 * What to take so that `target` parameters go: the lowest scores of all layers, a structure costing its parameters. Where that
 * ends at a head that is too large or too small, the neurons alone meet the target.
 */
export function takeGlobally(
  layers: readonly LayerStructures[],
  target: number,
  roundTo: WidthMultiple | undefined,
): Taken[] {
  const nothing = layers.map(() => ({ heads: 0, neurons: 0 }));
  const together = walk(layers, ascending(layers), nothing, target, roundTo);
  const headsOnly = together.taken.map(({ heads }) => ({ heads, neurons: 0 }));
  const adjusted = walk(layers, ascending(layers, ['neurons']), headsOnly, target, roundTo);
  const { taken } = adjusted.error < together.error ? adjusted : together;
  return taken.map(({ heads, neurons }, index) => ({
    heads,
    neurons: neuronsGone(layers[index]!.neurons, neurons, roundTo),
  }));
}

/**
 * What the official code takes at a share: scores descending, a head costs 170 neurons, and everything goes from the structure
 * on at which the sum of costs is closest to (1 − share) of all. At least one structure of a kind stays in each layer.
 */
export function takeGloballyAsPublished(
  layers: readonly LayerStructures[],
  share: number,
  roundTo: WidthMultiple | undefined,
): { readonly taken: Taken[]; readonly spared: number[] } {
  const descending = ascending(layers).reverse();
  const costOf = ({ kind }: Place): number => (kind === 'heads' ? publishedHeadCost : 1);
  const wanted = (1 - share) * descending.reduce((total, place) => total + costOf(place), 0);
  let [sum, threshold, distance] = [0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const place of descending) {
    sum += costOf(place);
    if (Math.abs(sum - wanted) < distance) [threshold, distance] = [place.score, Math.abs(sum - wanted)];
  }
  const below = (scores: readonly number[]): number => scores.filter((score) => score <= threshold).length;
  const spared: number[] = [];
  const taken = layers.map(({ heads, neurons }, layer) => {
    const wantedHeads = below(heads.scores);
    const wantedNeurons = below(neurons.scores);
    const emptied = (most: number, steps: number, gone: number) => most > 0 && gone === steps;
    if (
      emptied(heads.most, heads.steps.length, wantedHeads) ||
      emptied(neurons.most, neurons.steps.length, wantedNeurons)
    ) {
      spared.push(layer);
    }
    return { heads: Math.min(heads.most, wantedHeads), neurons: neuronsGone(neurons, wantedNeurons, roundTo) };
  });
  return { taken, spared };
}
