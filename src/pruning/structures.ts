/** @file What a width method can take from a layer: heads step by step and neurons one by one, the least important first. */
import type { StructureScores } from '../importance/method';
import { type WidthId, widthMethodOf } from '../importance/methods';
import type { HeadUnit } from '../importance/types';
import { headGroups, whyHeadsStay } from '../model/headStructures';
import type { LayerShape, ModelShape } from '../model/shape';
import type { HeadRemoval, WidthMultiple } from './widthRule';

/** The heads or the neurons of a layer. */
export interface Structures {
  /** Which structure each step removes, the least important first. */
  readonly order: Uint32Array;
  /** Query heads of each structure; null where structure n is the neuron n. */
  readonly members: readonly (readonly number[])[] | null;
  /** Of each step, ascending. */
  readonly scores: Float64Array;
  /** Parameters that a step removes. */
  readonly parameters: number;
  /** How many steps may be taken: at least one stays, and all of them where none can be removed alone. */
  readonly most: number;
}

export interface LayerStructures {
  readonly heads: Structures;
  readonly neurons: Structures;
}

/** How many steps to take in a layer. */
export interface Taken {
  readonly heads: number;
  readonly neurons: number;
}

/**
 * How the heads of an attention go: whole key/value groups (one head each where every query head has its own), or one head
 * of every group at a time. Where there is one group it cannot go, so that its heads do.
 */
export function headRemovalOf({ heads, kvHeads }: LayerShape, asked: HeadRemoval = 'groups'): HeadRemoval {
  if (heads === kvHeads) return 'groups';
  return kvHeads === 1 ? 'within-groups' : asked;
}

/** Why a width method leaves all heads of a layer, as a sentence; null where it can remove some, or where there are none. */
export function whyWidthKeepsHeads(method: WidthId, layer: LayerShape): string | null {
  if (layer.heads === 0) return null;
  const reason = whyHeadsStay(layer);
  if (reason !== null) return reason;
  const byGroup = widthMethodOf(method).units[0] === 'kvGroup';
  if (byGroup && layer.kvHeads === 1) return 'the method scores key/value heads, and the attention has one of them.';
  return null;
}

/** How many scores of heads and of neurons a method gives each layer. */
export function scoreCounts(method: WidthId, layers: readonly LayerShape[]): Record<'heads' | 'neurons', number[]> {
  const byGroup = widthMethodOf(method).units[0] === 'kvGroup';
  return {
    heads: layers.map(({ heads, kvHeads }) => (byGroup ? kvHeads : heads)),
    neurons: layers.map(({ ffn }) => ffn),
  };
}

/** Scores that say nothing, for what depends on their number alone. */
export function noScores(method: WidthId, layers: readonly LayerShape[]): StructureScores {
  const counts = scoreCounts(method, layers);
  const zeros = (count: number): number[] => new Array<number>(count).fill(0);
  return { heads: counts.heads.map(zeros), neurons: counts.neurons.map(zeros) };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The score of several heads that go together, by method: FLAP compares them with single neurons. */
function joined(method: WidthId, scores: readonly number[]): number {
  return method === 'flap' ? sum(scores) / scores.length : sum(scores);
}

/** The order of structures by their scores, the lowest first; of equal scores the lower index. */
function ascending(scores: ArrayLike<number>): Pick<Structures, 'order' | 'scores'> {
  const given = Float64Array.from(scores);
  const order = new Uint32Array(given.length).map((_, index) => index);
  order.sort((a, b) => given[a]! - given[b]! || a - b);
  return { order, scores: Float64Array.from(order, (index) => given[index]!) };
}

type Steps = Pick<Structures, 'order' | 'scores' | 'members'>;

function headSteps(
  method: WidthId,
  layer: LayerShape,
  scores: readonly number[],
  asked: HeadRemoval | undefined,
): Steps {
  if (layer.heads === 0) return { ...ascending([]), members: [] };
  const unit: HeadUnit = widthMethodOf(method).units[0];
  const groups = headGroups(layer);
  if (unit === 'kvGroup') return { ...ascending(scores), members: groups };
  const scoresOf = (heads: readonly number[]) => heads.map((head) => scores[head]!);
  if (headRemovalOf(layer, asked) === 'groups') {
    return { ...ascending(groups.map((heads) => joined(method, scoresOf(heads)))), members: groups };
  }
  // The n-th step takes the n-th lowest head of every group: their scores cannot fall from one step to the next.
  const within = groups.map((heads) => ({ heads, ...ascending(scoresOf(heads)) }));
  const ranks = Array.from({ length: layer.heads / layer.kvHeads }, (_, rank) => rank);
  const rankScores = ranks.map((rank) =>
    joined(
      method,
      within.map((group) => group.scores[rank]!),
    ),
  );
  return {
    order: Uint32Array.from(ranks),
    scores: Float64Array.from(rankScores),
    members: ranks.map((rank) => within.map(({ heads, order }) => heads[order[rank]!]!)),
  };
}

/** Parameters of a head step: rows of q, k and v with their biases, columns of o. */
function headParameters({ hidden }: ModelShape, layer: LayerShape, headsEach: number, groupsEach: number): number {
  const { headDim, biases = [] } = layer;
  const of = (bias: 'qBias' | 'kBias' | 'vBias') => (biases.includes(bias) ? 1 : 0);
  const queries = headsEach * headDim * (2 * hidden + of('qBias'));
  return queries + groupsEach * headDim * (2 * hidden + of('kBias') + of('vBias'));
}

/** Parameters of a neuron: its rows of gate and up with their biases, its column of down. */
function neuronParameters({ hidden }: ModelShape, { biases = [] }: LayerShape): number {
  return 3 * hidden + (biases.includes('gateBias') ? 1 : 0) + (biases.includes('upBias') ? 1 : 0);
}

/** What a method can take from each layer. Blocks of `whole` lose nothing. */
export function structuresOf(
  shape: ModelShape,
  method: WidthId,
  scores: StructureScores,
  asked: HeadRemoval | undefined,
  whole: ReadonlySet<number>,
): LayerStructures[] {
  return shape.layers.map((layer, index): LayerStructures => {
    const free = !whole.has(index);
    const heads = headSteps(method, layer, scores.heads[index]!, asked);
    const groups = headRemovalOf(layer, asked) === 'groups' ? 1 : 0;
    const removable = free && layer.heads > 0 && whyWidthKeepsHeads(method, layer) === null;
    return {
      heads: {
        ...heads,
        parameters: headParameters(shape, layer, heads.members?.[0]?.length ?? 0, groups),
        most: removable ? heads.order.length - 1 : 0,
      },
      neurons: {
        ...ascending(scores.neurons[index]!),
        members: null,
        parameters: neuronParameters(shape, layer),
        most: free ? Math.max(0, layer.ffn - 1) : 0,
      },
    };
  });
}

/** How many neurons go if a rule would take `taken` of them, and those that stay are to be a multiple. */
export function neuronsGone({ order, most }: Structures, taken: number, roundTo: WidthMultiple | undefined): number {
  const wanted = Math.min(taken, most);
  if (roundTo === undefined || wanted <= 0) return Math.max(0, wanted);
  const all = order.length;
  const left = Math.max(roundTo, Math.round((all - wanted) / roundTo) * roundTo);
  return Math.max(0, all - left);
}

/** Parameters that go if so many steps are taken. */
export function parametersGone(
  layers: readonly LayerStructures[],
  taken: (layer: LayerStructures, index: number) => Taken,
): number {
  return layers.reduce((total, layer, index) => {
    const { heads, neurons } = taken(layer, index);
    return total + heads * layer.heads.parameters + neurons * layer.neurons.parameters;
  }, 0);
}

/** What stays of a layer's heads or neurons after the first steps; null where all of them do. */
export function left({ order, members }: Structures, taken: number): number[] | null {
  if (taken === 0) return null;
  const structures = order.slice(taken).sort();
  return members === null ? [...structures] : [...structures].flatMap((each) => members[each]!).sort((a, b) => a - b);
}
