/** @file Scores of blocks, sub-blocks, heads and neurons as places of a link. An order that follows from its scores is not written. */
import type { Criterion } from '../../importance/methods';
import { protectedBlocks, removalOrder } from '../../importance/order';
import type { Evolution, EvolutionChoice, EvolutionPoint, SearchStep } from '../../importance/search/found';
import type { Barriers, HeadUnit, SearchUnit } from '../../importance/types';
import type { UnitJson } from '../../model/unit';
import { most } from '../fields';
import type { ScoreOptions, Scores, WidthScoreOptions, WidthScores } from '../scores';
import {
  ascending,
  type Codec,
  choice,
  figure,
  figures,
  flag,
  indices,
  list,
  mapped,
  mark,
  optional,
  rounded,
  text,
  tuple,
  whole,
} from './codec';
import { mostLayers } from './model';
import { headRemoval, widthMethod } from './plans';
import { calibration, label } from './texts';

const digits = 4;
/** Times and sizes of measuring itself. */
export const costDigits = 3;

export const criterion: Codec<Criterion> = choice<Criterion>([
  ...(['ppl', 'taylor', 'block-influence', 'angular', 'magnitude', 'random', 'reverse-order'] as const),
  ...(['sleb', 'block-pruner', 'evopress'] as const),
]);
export const searchUnit: Codec<SearchUnit> = choice(['block', 'attention', 'mlp', 'half']);
export const barriers: Codec<Barriers> = tuple<Barriers>({ first: whole, last: whole });
const stages = list(whole, most.stages);

interface WrittenUnits {
  readonly layers: number[];
  /** One part for all of them, or a letter each. */
  readonly parts: string;
}

const letters = { block: 'b', attention: 'a', mlp: 'm' } as const;

/** Units as their blocks and their parts. */
export const units: Codec<UnitJson[]> = mapped(
  tuple<WrittenUnits>({ layers: indices, parts: text }),
  (values) => {
    const parts = values.map(({ part }) => letters[part]).join('');
    const same = [...parts].every((part) => part === parts[0]);
    return { layers: values.map(({ layer }) => layer), parts: same ? parts.slice(0, 1) : parts };
  },
  ({ layers, parts }, from) => {
    if (parts.length > 1 && parts.length !== layers.length) throw from.misfit('a part for each unit');
    return layers.map((layer, at) => {
      const letter = parts.length > 1 ? parts[at] : parts;
      const part = (['block', 'attention', 'mlp'] as const).find((each) => letters[each] === letter);
      if (part === undefined) throw from.misfit("'b', 'a' or 'm'");
      return { layer, part };
    });
  },
);

interface WrittenSteps {
  readonly units: UnitJson[];
  readonly perplexities: number[];
}

/** The steps of a greedy search. */
export const steps: Codec<SearchStep[]> = mapped(
  tuple<WrittenSteps>({ units, perplexities: figures(5, most.units) }),
  (values) => ({ units: values, perplexities: values.map(({ perplexity }) => perplexity) }),
  (read, from) => {
    if (read.units.length !== read.perplexities.length) throw from.misfit('a perplexity for each step');
    return read.units.map((unit, at) => ({ ...unit, perplexity: read.perplexities[at]! }));
  },
);

interface WrittenTrace {
  readonly generations: readonly number[];
  readonly divergences: number[];
  readonly evaluations: number[];
}

/** The generations of an evolutionary search. */
export const trace: Codec<readonly EvolutionPoint[]> = mapped(
  tuple<WrittenTrace>({
    generations: ascending,
    divergences: figures(digits, most.generations),
    evaluations: figures(digits, most.generations),
  }),
  (points) => ({
    generations: points.map(({ generation }) => generation),
    divergences: points.map(({ kl }) => kl),
    evaluations: points.map(({ evaluations }) => evaluations),
  }),
  ({ generations, divergences, evaluations }, from) => {
    if (divergences.length !== generations.length || evaluations.length !== generations.length) {
      throw from.misfit('numbers for each generation');
    }
    return generations.map((generation, at) => ({ generation, kl: divergences[at]!, evaluations: evaluations[at]! }));
  },
);

const choices = { unit: searchUnit, count: whole, generations: whole, offspring: whole } as const;
const evolutionChoice: Codec<EvolutionChoice> = tuple<EvolutionChoice>({
  ...choices,
  ...{ survivors: stages, tokens: stages, seed: whole },
});

export const passes: Codec<Evolution['passes']> = tuple<Evolution['passes']>({ made: whole, separate: whole });

const evolution: Codec<Evolution> = tuple<Evolution>({
  ...{ removed: units as Codec<readonly UnitJson[]>, trace, choice: evolutionChoice, perplexity: figure(5), passes },
});

const options: Codec<ScoreOptions> = tuple<ScoreOptions>({
  ...{ plus: optional(flag), unit: optional(searchUnit), count: optional(whole), seed: optional(whole) },
  ...{ window: optional(whole), of: optional(text), barriers: optional(barriers), generations: optional(whole) },
  ...{ offspring: optional(whole), survivors: optional(stages), tokens: optional(stages) },
});

/** Milliseconds, and bytes of the GPU. */
const cost = figures(costDigits, 2);

interface WrittenScores extends Omit<Scores, 'order' | 'protected' | 'milliseconds' | 'peakGpuBytes'> {
  /** Absent where it follows from the scores, as rounded ones give it or with some neighbours the other way round. */
  readonly order?: number[];
  /** Places in the order whose index changes with the next one: scores that only differ in later digits. */
  readonly swaps?: readonly number[];
  /** Absent where there are none. */
  readonly protected?: readonly number[] | undefined;
  /** Those of the + rule are protected. */
  readonly rule: boolean;
  readonly cost: number[];
}

/** Where neighbours of one order stand the other way round in another one; null where the orders differ in another way. */
function swapsOf(order: readonly number[], other: readonly number[]): number[] | null {
  if (order.length !== other.length) return null;
  const swaps: number[] = [];
  for (let at = 0; at < order.length; at++) {
    if (order[at] === other[at]) continue;
    if (order[at] !== other[at + 1] || order[at + 1] !== other[at]) return null;
    swaps.push(at);
    at += 1;
  }
  return swaps;
}

function swapped(order: readonly number[], swaps: readonly number[]): number[] {
  const changed = [...order];
  for (const at of swaps) {
    const [first, second] = [changed[at], changed[at + 1]];
    if (first !== undefined && second !== undefined) changed.splice(at, 2, second, first);
  }
  return changed;
}

const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, at) => value === b[at]);

export const scores: Codec<Scores> = mapped(
  tuple<WrittenScores>({
    ...{ criterion, unit: searchUnit, scores: figures(digits, 2 * mostLayers), calibration, device: label, cost },
    ...{ options: optional(options), swaps: optional(ascending), rule: flag },
    ...{ order: optional(indices), protected: optional(ascending) },
    window: mapped(
      whole,
      (window) => Math.max(0, window - 1),
      (window) => window + 1,
    ),
    ...{ reference: optional(figure(5)), steps: optional(steps), evolution: optional(evolution) },
    barriers: optional(barriers),
  }),
  ({ order, protected: kept, milliseconds, peakGpuBytes, ...rest }, { model }) => {
    const isRule = kept.length > 0 && equal(kept, protectedBlocks(model.shape.layers.length));
    const found = rest.scores.map((score) => rounded(score, digits));
    const swaps = swapsOf(order, removalOrder(found, kept, rest.window));
    return {
      ...rest,
      cost: [milliseconds, peakGpuBytes],
      rule: isRule,
      ...(isRule || kept.length === 0 ? {} : { protected: kept }),
      ...(swaps === null ? { order } : swaps.length > 0 ? { swaps } : {}),
    };
  },
  ({ rule, protected: told = [], swaps = [], cost: spent, ...read }, from) => {
    const kept = rule ? protectedBlocks(from.model.shape.layers.length) : [...told];
    if (kept.length > mostLayers) throw from.misfit(`at most ${mostLayers} protected blocks`);
    const order = read.order ?? swapped(removalOrder(read.scores, kept, read.window), swaps);
    from.spend(order.length + (kept.length * read.scores.length) / 8);
    return { ...read, order, protected: kept, ...costOf(spent) };
  },
);

function costOf([milliseconds = 0, peakGpuBytes = 0]: readonly number[]) {
  return { milliseconds, peakGpuBytes };
}

/** Numbers by block in one text, parted by commas. */
function byLayer(kept: number): Codec<number[][]> {
  const row = figures(kept, most.neurons);
  return {
    write: (rows, to) => [rows.length, rows.map((values) => row.write(values, to)).join(',')],
    read(json, from) {
      const [count = 0, written = ''] = from.list(json, 2);
      const parts = from.whole(count) === 0 ? [] : from.text(written).split(',');
      if (parts.length !== count || count > mostLayers) throw from.misfit('numbers for each block');
      return parts.map((part) => row.read(part, from));
    },
  };
}

const widthOptions: Codec<WidthScoreOptions> = tuple<WidthScoreOptions>({
  ...{ seed: optional(whole), asPublished: optional(flag), sequential: optional(flag), ratio: optional(figure()) },
  roundTo: optional(whole as Codec<NonNullable<WidthScoreOptions['roundTo']>>),
  heads: optional(headRemoval),
});

interface WrittenWidth extends Omit<WidthScores, 'milliseconds' | 'peakGpuBytes'> {
  readonly cost: number[];
}

export const widthScores: Codec<WidthScores> = mapped(
  tuple<WrittenWidth>({
    ...{ method: widthMethod, heads: byLayer(digits), neurons: byLayer(digits) },
    headUnit: choice<HeadUnit>(['head', 'kvGroup']),
    ...{ calibration, device: label, cost, options: optional(widthOptions), thinned: mark },
  }),
  ({ milliseconds, peakGpuBytes, ...rest }) => ({ ...rest, cost: [milliseconds, peakGpuBytes] }),
  ({ cost: spent, ...read }) => ({ ...read, ...costOf(spent) }),
);
