/** @file FLAP's search: heads and neurons of all layers compete by their standardized scores. */
import { type LayerStructures, neuronsGone, type Taken } from './structures';
import type { WidthMultiple } from './widthRule';

type Kind = keyof LayerStructures;
const kinds = ['heads', 'neurons'] as const satisfies readonly Kind[];

/** A head of the official code in units of a neuron: int(512 / 3), whatever the model. */
const publishedHeadCost = 170;

/** Structures of all layers, the lowest score first; of equal scores the lower layer, its heads, the lower index. */
interface Row {
  readonly scores: Float64Array;
  readonly layers: Uint32Array;
  /** 1 for the heads of a layer, 0 for a neuron. */
  readonly areHeads: Uint8Array;
}

function rowOf(layers: readonly LayerStructures[], wanted: readonly Kind[] = kinds): Row {
  const count = layers.reduce((sum, each) => sum + wanted.reduce((own, kind) => own + each[kind].scores.length, 0), 0);
  const unordered: Row = {
    scores: new Float64Array(count),
    layers: new Uint32Array(count),
    areHeads: new Uint8Array(count),
  };
  let at = 0;
  layers.forEach((each, layer) => {
    for (const kind of wanted) {
      const { scores } = each[kind];
      unordered.scores.set(scores, at);
      unordered.layers.fill(layer, at, at + scores.length);
      unordered.areHeads.fill(kind === 'heads' ? 1 : 0, at, at + scores.length);
      at += scores.length;
    }
  });
  const order = new Uint32Array(count).map((_, index) => index);
  order.sort((a, b) => unordered.scores[a]! - unordered.scores[b]! || a - b);
  return {
    scores: Float64Array.from(order, (index) => unordered.scores[index]!),
    layers: Uint32Array.from(order, (index) => unordered.layers[index]!),
    areHeads: Uint8Array.from(order, (index) => unordered.areHeads[index]!),
  };
}

const kindAt = ({ areHeads }: Row, index: number): Kind => (areHeads[index] === 1 ? 'heads' : 'neurons');

interface Walk {
  readonly taken: Taken[];
  readonly error: number;
}

/** Takes structures in their order, from `begin` on, as long as that brings what is gone closer to the target. */
function walk(
  layers: readonly LayerStructures[],
  row: Row,
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
  for (let index = 0; index < row.scores.length && gone < target; index++) {
    const [layer, kind] = [row.layers[index]!, kindAt(row, index)];
    const { [kind]: structures } = layers[layer]!;
    if (taken[layer]![kind] >= structures.most) continue;
    const before = kind === 'heads' ? taken[layer]!.heads : neuronsOf(layer);
    taken[layer]![kind] += 1;
    const after = kind === 'heads' ? taken[layer]!.heads : neuronsOf(layer);
    gone += (after - before) * structures.parameters;
    const error = Math.abs(gone - target);
    if (error < best.error) best = { count: index + 1, error };
  }
  // The same walk again, up to its best place.
  const found = begin.map((each) => ({ ...each }));
  for (let index = 0; index < best.count; index++) {
    const [layer, kind] = [row.layers[index]!, kindAt(row, index)];
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
  const together = walk(layers, rowOf(layers), nothing, target, roundTo);
  const headsOnly = together.taken.map(({ heads }) => ({ heads, neurons: 0 }));
  const adjusted = walk(layers, rowOf(layers, ['neurons']), headsOnly, target, roundTo);
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
  const row = rowOf(layers);
  const costs = row.areHeads.reduce((total, isHead) => total + (isHead === 1 ? publishedHeadCost : 1), 0);
  const wanted = (1 - share) * costs;
  let [sum, threshold, distance] = [0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let index = row.scores.length - 1; index >= 0; index--) {
    sum += row.areHeads[index] === 1 ? publishedHeadCost : 1;
    if (Math.abs(sum - wanted) < distance) [threshold, distance] = [row.scores[index]!, Math.abs(sum - wanted)];
  }
  const below = (scores: Float64Array): number => scores.filter((score) => score <= threshold).length;
  const spared: number[] = [];
  const taken = layers.map(({ heads, neurons }, layer) => {
    const wantedHeads = below(heads.scores);
    const wantedNeurons = below(neurons.scores);
    const emptied = (most: number, steps: number, gone: number) => most > 0 && gone === steps;
    if (
      emptied(heads.most, heads.order.length, wantedHeads) ||
      emptied(neurons.most, neurons.order.length, wantedNeurons)
    ) {
      spared.push(layer);
    }
    return { heads: Math.min(heads.most, wantedHeads), neurons: neuronsGone(neurons, wantedNeurons, roundTo) };
  });
  return { taken, spared };
}
