/** @file Searches what to keep of each block under budgets: estimates rank the steps, the engine measures whole variants. */
import type { Engine } from '../../engine/engine';
import { LabError, throwIfAborted } from '../../errors';
import type { BudgetPoint, SearchProgress } from '../../importance/search/found';
import { headGroups } from '../../model/headStructures';
import type { LayerShape, ModelShape } from '../../model/shape';
import { unitsInLayer } from '../../model/unit';
import type { WeightSource } from '../../model/weights';
import type { TokenSequences } from '../../numerics/tokens';
import { evolveSelection } from '../../pruning/budget/evolve';
import { greedySelection } from '../../pruning/budget/greedy';
import { type BlockLosses, goneShares, lossOfSizes } from '../../pruning/budget/lossEstimate';
import { type Choice, type Problem, type Selection, totals } from '../../pruning/budget/problem';
import {
  type BlockSizes,
  layerOfSizes,
  naturalOrder,
  planOfSizes,
  type RemovalOrder,
  type SizeUnit,
  sizeOptions,
} from '../../pruning/budget/sizes';
import { pruned } from '../../pruning/cuts';
import { type PruningPlan, removesWidth } from '../../pruning/plan';
import type { WidthScores } from '../../report/scores';
import type { TaskOptions } from '../../task';

/** One budget: what each block may take of it, beside what lies outside the blocks. */
export interface Limit {
  readonly name: 'msPerToken' | 'cacheBytes' | 'parameters';
  /** For the whole model. */
  readonly most: number;
  /** What lies outside the blocks. */
  readonly outside: number;
  of(layer: LayerShape): number;
}

/** What every block may keep, and what that takes; losses are not known yet. */
export interface Options {
  readonly sizes: readonly (readonly BlockSizes[])[];
  readonly problem: Problem;
}

/** The problem without losses: it tells whether the budgets can be met at all. */
export function budgetOptions({ layers }: ModelShape, units: readonly SizeUnit[], limits: readonly Limit[]): Options {
  const sizes = layers.map((layer) => sizeOptions(layer, units));
  const blocks = layers.map((layer, block) =>
    sizes[block]!.map((each): Choice => {
      const rest = layerOfSizes(layer, each);
      return { loss: 0, costs: limits.map((limit) => (rest ? limit.of(rest) : 0)), empty: rest === null };
    }),
  );
  return { sizes, problem: { blocks, limits: limits.map(({ most, outside }) => most - outside) } };
}

/** Scores from which the order of removal and the estimates come. Without width scores no single groups and neurons go. */
export interface Losses {
  readonly base: number;
  readonly blocks: readonly BlockLosses[];
}

/** Mean NLL of the base, and how much it grows without each block, attention and MLP. One sweep. */
export async function measureLosses(
  engine: Engine,
  { layers }: ModelShape,
  sequences: TokenSequences,
  task: TaskOptions,
): Promise<Losses> {
  const { sumNll, tokens } = await engine.score(layers, sequences, { signal: task.signal });
  const base = sumNll.reduce((sum, nll) => sum + nll, 0) / tokens;
  if (!Number.isFinite(base)) {
    throw new LabError(
      'non-finite',
      `The search: the model's loss on the calibration text is ${base}.`,
      'A search needs a model with a finite perplexity. Measure that first.',
    );
  }
  const units = layers.flatMap((layer, index) =>
    (['block', 'attention', 'mlp'] as const)
      .filter((kind) => unitsInLayer(layer, kind) > 0)
      .map((kind) => ({ kind, layer: index })),
  );
  const found = await engine.removalSweep(sequences, units, {
    signal: task.signal,
    onProgress: (progress) => task.onProgress?.({ ...progress, stage: 'Losses without each block and sub-block' }),
  });
  const grown = (kind: 'block' | 'attention' | 'mlp', index: number): number => {
    const at = units.findIndex((unit) => unit.kind === kind && unit.layer === index);
    if (at < 0) return 0;
    // A model that breaks without a unit is worse than any other.
    return Number.isNaN(found[at]!) ? Number.POSITIVE_INFINITY : found[at]! - base;
  };
  const blocks = layers.map((_, index) => ({
    block: grown('block', index),
    attention: grown('attention', index),
    mlp: grown('mlp', index),
  }));
  return { base, blocks };
}

/** Energies by group and neuron, and the order of removal that they give. */
interface Energies {
  readonly groups: readonly (readonly number[])[];
  readonly neurons: readonly (readonly number[])[];
}

/** Squares of Wanda-sp's scores, which are mean magnitudes of what a channel adds: energies of independent channels add. */
function energiesOf({ layers }: ModelShape, { heads, neurons }: Pick<WidthScores, 'heads' | 'neurons'>): Energies {
  const broken = [...heads, ...neurons].flat().find((score) => !Number.isFinite(score));
  if (broken !== undefined) {
    throw new LabError(
      'non-finite',
      `The search: a score of a head or neuron is ${broken}.`,
      "Leave 'kvGroup' and 'neuron' out of the units, or calibrate on another text.",
    );
  }
  return {
    groups: layers.map((layer, index) =>
      layer.kvHeads === 0
        ? []
        : headGroups(layer).map((group) => group.reduce((sum, head) => sum + heads[index]![head]! ** 2, 0)),
    ),
    neurons: neurons.map((scores) => scores.map((score) => score ** 2)),
  };
}

/** Lowest first; the first of equals first. */
const ascending = (values: readonly number[]): number[] =>
  [...values.keys()].sort((a, b) => values[a]! - values[b]! || a - b);

export interface BudgetSearch extends TaskOptions {
  readonly model: string;
  readonly shape: ModelShape;
  readonly weights: WeightSource;
  readonly engine: Engine;
  readonly sequences: TokenSequences;
  readonly options: Options;
  readonly losses: Losses;
  /** Null where no single groups and neurons may go. */
  readonly width: Pick<WidthScores, 'heads' | 'neurons'> | null;
  readonly generations: number;
  readonly offspring: number;
  readonly seed: number;
  /** What a selection takes, for progress reports. */
  numbersOf(shape: ModelShape): Pick<BudgetPoint, 'msPerToken' | 'cacheBytes' | 'parameters'>;
}

export interface FoundBest {
  readonly plan: PruningPlan;
  /** Mean NLL on the calibration text. */
  readonly nll: number;
  readonly greedyNll: number;
  readonly evaluations: number;
}

/** Searches; null where greedy steps lead to no selection within the budgets. */
export async function searchBudget(search: BudgetSearch): Promise<FoundBest | null> {
  const { shape, options, losses, width, engine, sequences, signal, generations, offspring, seed } = search;
  const energies = width && energiesOf(shape, width);
  const order: RemovalOrder = energies
    ? { groups: energies.groups.map(ascending), neurons: energies.neurons.map(ascending) }
    : naturalOrder(shape);
  const shares = (values: readonly number[] | undefined, indices: readonly number[]) =>
    goneShares(indices.map((index) => values?.[index] ?? 1));
  const blocks = options.problem.blocks.map((choices, block) => {
    const groups = shares(energies?.groups[block], order.groups[block]!);
    const neurons = shares(energies?.neurons[block], order.neurons[block]!);
    return choices.map((choice, at) => ({
      ...choice,
      loss: lossOfSizes(losses.blocks[block]!, groups, neurons, options.sizes[block]![at]!),
    }));
  });
  const problem: Problem = { ...options.problem, blocks };
  const starts = greedyStarts(problem, options.sizes, shape);
  if (starts.length === 0) return null;
  const planOf = (selection: Selection): PruningPlan => {
    const sizes = selection.map((choice, block) => options.sizes[block]![choice]!);
    return planOfSizes(search.model, shape, sizes, order);
  };
  const nllOf = async (plan: PruningPlan): Promise<number> => {
    throwIfAborted(signal, 'The search');
    const cut = pruned({ shape, weights: search.weights }, plan);
    if (!removesWidth(plan)) return meanNll(engine, cut.shape.layers, sequences, signal);
    // One at a time is open, beside the base, whose blocks it shares where they are whole.
    const view = await engine.open({ id: 'candidate', ...cut }, { signal });
    try {
      return await meanNll(view, cut.shape.layers, sequences, signal);
    } finally {
      await view.close();
    }
  };
  const planned = starts.length + offspring * (generations + 1);
  let done = 0;
  let budget: BudgetPoint | undefined;
  const report = (generation: number): void => {
    const stage = `Search, generation ${generation} of ${generations}`;
    const progress: SearchProgress = { stage, done, total: Math.max(planned, done), unit: 'variants' };
    search.onProgress?.(budget ? Object.assign(progress, { budget }) : progress);
  };
  let greedyNll = Number.POSITIVE_INFINITY;
  const best = await evolveSelection({
    ...{ problem, starts, generations, offspring, seed },
    async cost(selections, generation) {
      const found: number[] = [];
      for (const [at, selection] of selections.entries()) {
        report(generation);
        found.push(await nllOf(planOf(selection)));
        done += 1;
        if (generation === 0 && at < starts.length) greedyNll = Math.min(greedyNll, found[at]!);
      }
      return found;
    },
    onGeneration({ generation, candidate, cost, evaluations }) {
      const numbers = search.numbersOf(pruned({ shape, weights: search.weights }, planOf(candidate)).shape);
      budget = { generation, perplexity: Math.exp(cost), evaluations, ...numbers };
      report(generation);
    },
  });
  return { plan: planOf(best.candidate), nll: best.cost, greedyNll, evaluations: best.evaluations };
}

async function meanNll(
  engine: Engine,
  layers: readonly LayerShape[],
  sequences: TokenSequences,
  signal: AbortSignal | undefined,
): Promise<number> {
  try {
    const { sumNll, tokens } = await engine.score(layers, sequences, { signal });
    return sumNll.reduce((sum, nll) => sum + nll, 0) / tokens;
  } catch (thrown) {
    // A candidate that breaks loses; the search goes on.
    if (thrown instanceof LabError && thrown.code === 'non-finite') return Number.POSITIVE_INFINITY;
    throw thrown;
  }
}

/** Greedy selections: of everything, of whole blocks, of blocks and sub-blocks, and of widths, as far as each meets the budgets. */
function greedyStarts(problem: Problem, sizes: Options['sizes'], { layers }: ModelShape): Selection[] {
  const isWhole = (block: number, { groups, ffn }: BlockSizes) =>
    groups === layers[block]!.kvHeads && ffn === layers[block]!.ffn;
  const isPart = (kept: number, all: number) => kept > 0 && kept < all;
  const kinds: ((block: number, each: BlockSizes) => boolean)[] = [
    () => true,
    (block, each) => isWhole(block, each) || (each.groups === 0 && each.ffn === 0),
    (block, { groups, ffn }) => !isPart(groups, layers[block]!.kvHeads) && !isPart(ffn, layers[block]!.ffn),
    (block, { groups, ffn }) => (groups > 0 || layers[block]!.kvHeads === 0) && (ffn > 0 || layers[block]!.ffn === 0),
  ];
  return kinds.flatMap((kind) => {
    const found = greedySelection(problem, { allowed: (block, choice) => kind(block, sizes[block]![choice]!) });
    return found === null ? [] : [found];
  });
}

/** What the whole model takes of each limit beside what lies outside the blocks. */
export function wholeTotals({ problem }: Options): number[] {
  return totals(
    problem,
    problem.blocks.map(() => 0),
  );
}
