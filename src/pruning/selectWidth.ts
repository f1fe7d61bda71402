/** @file Scores of heads and neurons + ratio → what stays. Pure: the numbers were measured elsewhere. */
import { LabError } from '../errors';
import type { LayerScores, StructureScores } from '../importance/method';
import { type WidthId, widthMethodOf } from '../importance/methods';
import type { Barriers } from '../importance/types';
import { modelParameters } from '../model/count';
import type { ModelShape } from '../model/shape';
import { takeGlobally, takeGloballyAsPublished } from './globalWidth';
import type { KeptWidth } from './plan';
import {
  type LayerStructures,
  left,
  neuronsGone,
  noScores,
  parametersGone,
  scoreCounts,
  structuresOf,
  type Taken,
  whyWidthKeepsHeads,
} from './structures';
import { largestShare, type Rounding, takeShare, takeUniformly } from './uniformWidth';
import { blockRanges, type HeadRemoval, type WidthMultiple, type WidthRule } from './widthRule';

/** What to select by, and how much. */
export interface WidthSelection {
  readonly method: WidthId;
  /** By layer of the shape; low = remove first. */
  readonly scores: StructureScores;
  /** Share of all the model's parameters to remove, 0 ≤ ratio < 1; with `asPublished` of what the official code counts. */
  readonly ratio: number;
  readonly asPublished?: boolean | undefined;
  /** Neurons that stay in a layer are a multiple of this; all of them stay in a layer that has fewer. */
  readonly roundTo?: WidthMultiple | undefined;
  /** How grouped-query attentions lose heads; 'groups' without it. An attention with one key/value head always loses heads within it. */
  readonly heads?: HeadRemoval | undefined;
  /** Blocks at either end that lose nothing; by default those of LLM-Pruner, and none with another method. */
  readonly protect?: Barriers | undefined;
}

export interface SelectedWidth {
  /** By layer: query heads and neurons that stay, ascending; null for all. */
  readonly kept: Required<KeptWidth>;
  readonly rule: WidthRule;
}

/**
 * Which heads and neurons stay. Uniform methods take the same share of every layer, FLAP compares all layers, LLM-Pruner takes
 * the same share of the layers that it does not protect. In each layer at least one key/value head and one neuron stay.
 * @throws LabError 'bad-argument' for a ratio that cannot be reached, 'non-finite' for scores that are not numbers,
 *   'internal' for scores of another shape
 */
export function selectWidth(shape: ModelShape, selection: WidthSelection): SelectedWidth {
  const { method, scores, ratio, asPublished = false, roundTo, heads } = selection;
  checkRatio(ratio);
  checkScores(shape, method, scores);
  refuseHalfGroups(shape, method, heads);
  const whole = protectedBlocks(shape, selection);
  const structures = structuresOf(shape, method, scores, heads, new Set(whole));
  const { taken, spared } = take(shape, structures, selection, whole);
  const wholeHeads = shape.layers.flatMap((layer, index) =>
    whyWidthKeepsHeads(method, layer) === null ? [] : [index],
  );
  return {
    kept: {
      keepHeads: structures.map((each, index) => left(each.heads, taken[index]!.heads)),
      keepNeurons: structures.map((each, index) => left(each.neurons, taken[index]!.neurons)),
    },
    rule: {
      method,
      ratio,
      ...(asPublished && { asPublished }),
      ...(roundTo !== undefined && { roundTo }),
      ...(heads !== undefined && { heads }),
      ...(whole.length > 0 && { protected: whole }),
      ...(wholeHeads.length > 0 && { wholeHeads }),
      ...(spared.length > 0 && { spared }),
    },
  };
}

/**
 * The same selection for a uniform method, layer by layer: for scores that depend on what the earlier layers lost. How many heads
 * and neurons go depends on no score.
 * @throws LabError as `selectWidth`, when a layer is asked for
 */
export function selectByLayer(
  shape: ModelShape,
  selection: Omit<WidthSelection, 'scores' | 'method'> & { readonly method: Exclude<WidthId, 'flap'> },
): (index: number, scores: LayerScores) => { readonly heads: number[] | null; readonly neurons: number[] | null } {
  const { method, heads, ratio } = selection;
  checkRatio(ratio);
  refuseHalfGroups(shape, method, heads);
  const whole = protectedBlocks(shape, selection);
  const scores = noScores(method, shape.layers);
  const every = structuresOf(shape, method, scores, heads, new Set(whole));
  const { taken } = take(shape, every, { ...selection, scores }, whole);
  return (index, own) => {
    const alone = { ...shape, layers: shape.layers.slice(index, index + 1) };
    const given = { heads: [[...own.heads]], neurons: [[...own.neurons]] };
    checkScores(alone, method, given, index);
    const [structures] = structuresOf(alone, method, given, heads, new Set());
    return {
      heads: left(structures!.heads, taken[index]!.heads),
      neurons: left(structures!.neurons, taken[index]!.neurons),
    };
  };
}

function take(
  shape: ModelShape,
  structures: readonly LayerStructures[],
  { method, ratio, asPublished = false, roundTo }: WidthSelection,
  whole: readonly number[],
): { readonly taken: Taken[]; readonly spared: readonly number[] } {
  const rounding: Rounding = method === 'llm-pruner' ? 'kept' : 'removed';
  if (asPublished) {
    if (method === 'flap') {
      if (ratio === 0) return { taken: structures.map(() => ({ heads: 0, neurons: 0 })), spared: [] };
      return takeGloballyAsPublished(structures, ratio, roundTo);
    }
    refuseAbove(method, ratio, largestShare(structures, rounding), 'of the heads and neurons of each block', whole);
    return { taken: takeShare(structures, ratio, rounding, roundTo), spared: [] };
  }
  const total = modelParameters(shape);
  const most = parametersGone(structures, ({ heads, neurons }) => ({
    heads: heads.most,
    neurons: neuronsGone(neurons, neurons.most, roundTo),
  }));
  refuseAbove(method, ratio, most / total, 'of the model’s parameters', whole);
  const target = ratio * total;
  const taken =
    method === 'flap'
      ? takeGlobally(structures, target, roundTo)
      : takeUniformly(structures, target, rounding, roundTo);
  return { taken, spared: [] };
}

/** Blocks that lose nothing: those asked for, else LLM-Pruner's first four and last two, in small models the first and the last. */
function protectedBlocks(
  { layers: { length: layers } }: ModelShape,
  { method, asPublished = false, protect }: Omit<WidthSelection, 'scores'>,
): number[] {
  const own = (): Barriers => {
    if (method !== 'llm-pruner') return { first: 0, last: 0 };
    if (asPublished || layers >= 12) return { first: 4, last: 2 };
    return layers >= 3 ? { first: 1, last: 1 } : { first: 0, last: 0 };
  };
  const { first, last } = protect ?? own();
  return Array.from({ length: layers }, (_, index) => index).filter((index) => index < first || index >= layers - last);
}

function checkRatio(ratio: number): void {
  if (ratio >= 0 && ratio < 1) return;
  throw new LabError(
    'bad-argument',
    `ratio: expected 0 ≤ ratio < 1, got ${ratio}.`,
    'Set ratio to the share of parameters to remove.',
  );
}

/** Refuses a ratio that would empty a layer, with the largest one that works. */
function refuseAbove(method: WidthId, ratio: number, largest: number, ofWhat: string, whole: readonly number[]): void {
  // 1 is beyond what checkRatio lets pass.
  if (ratio <= largest + 1e-12) return;
  const works = Math.floor(largest * 1e4) / 1e4;
  const stay =
    whole.length === 0 ? '' : ` and ${whole.length === 1 ? 'block' : 'blocks'} ${blockRanges(whole)} stay whole`;
  throw new LabError(
    'bad-argument',
    `ratio: '${method}' can remove at most ${works} ${ofWhat}, because every block keeps at least one head and one neuron${stay}; got ${ratio}.`,
    works > 0
      ? `Ask for ${works} or less, or remove whole blocks too.`
      : 'Remove whole blocks, or take another method.',
  );
}

/** LLM-Pruner's scores are of whole groups. */
function refuseHalfGroups(shape: ModelShape, method: WidthId, heads: HeadRemoval | undefined): void {
  const inGroups = shape.layers.some((layer) => layer.kvHeads > 1 && layer.heads > layer.kvHeads);
  if (heads !== 'within-groups' || !inGroups || widthMethodOf(method).units[0] !== 'kvGroup') return;
  throw new LabError(
    'bad-argument',
    `heads: '${method}' scores whole key/value groups, so that it cannot choose heads within them, got 'within-groups'.`,
    "Leave heads out, or take another method, e.g. 'wanda-sp'.",
  );
}

/** @param first index of the shape's first layer in the model, for messages */
function checkScores(shape: ModelShape, method: WidthId, scores: StructureScores, first = 0): void {
  const byGroup = widthMethodOf(method).units[0] === 'kvGroup';
  const names = { heads: byGroup ? 'key/value groups' : 'heads', neurons: 'neurons' } as const;
  const counts = scoreCounts(method, shape.layers);
  for (const kind of ['heads', 'neurons'] as const) {
    const given = scores[kind];
    const expected = counts[kind];
    if (given.length !== expected.length || given.some((list, index) => list.length !== expected[index])) {
      const lengths = (list: readonly number[]) => list.slice(0, 8).join(', ');
      throw new LabError(
        'internal',
        `Scores by '${method}': expected ${lengths(expected)} … ${names[kind]} by block, got ${lengths(given.map(({ length }) => length))} ….`,
        'Please report this bug.',
      );
    }
    given.forEach((list, index) => {
      const broken = list.filter((score) => !Number.isFinite(score)).length;
      if (broken === 0) return;
      throw new LabError(
        'non-finite',
        `Scores by '${method}': ${broken} of the ${list.length} ${names[kind]} of block ${first + index} have a score that is not a finite number.`,
        'Measure the perplexity of the model: it tells you where a value is not finite.',
      );
    });
  }
}
