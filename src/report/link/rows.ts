/** @file Variants as places of a link. What follows from a plan is not written: name, parameters, share removed, blocks. */
import type { ModelShape } from '../../model/shape';
import { applyPlan, estimate } from '../../pruning/apply';
import { describePlan } from '../../pruning/describe';
import type { PruningPlan } from '../../pruning/plan';
import { repairLabels } from '../../pruning/repairMethods';
import { patchOf, recipeOf, type Step } from '../../pruning/variant';
import type { ComparisonRow } from '../results';
import type { TrainingCurves } from '../trainingCurves';
import {
  type Codec,
  figure,
  type Json,
  list,
  mapped,
  mark,
  optional,
  type Reader,
  rounded,
  text,
  trimmed,
  tuple,
  whole,
} from './codec';
import { curves } from './curves';
import { readMeasured, variantId, writeMeasured } from './measured';
import { plan, recipe } from './plans';
import { readTasks, writeTasks } from './tasks';

const ratioDigits = 4;

/** A plan of a model in words, and the sizes that it leaves. */
interface Consequence {
  readonly name: string;
  readonly parameters: number;
  readonly ratio: number;
  readonly layers: number;
}

/** Plans are shared by variants. */
const known = new WeakMap<PruningPlan, { readonly shape: ModelShape; readonly follows: Consequence | null }>();

/** What follows from a plan; null for one that its model cannot follow. */
function consequenceOf(plan: PruningPlan, shape: ModelShape): Consequence | null {
  const before = known.get(plan);
  if (before?.shape === shape) return before.follows;
  const follows = computed(plan, shape);
  known.set(plan, { shape, follows });
  return follows;
}

function computed(plan: PruningPlan, shape: ModelShape): Consequence | null {
  try {
    const remaining = applyPlan(shape, plan);
    return { name: describePlan(plan, shape), ...estimate(shape, remaining), layers: remaining.layers.length };
  } catch {
    return null;
  }
}

/** The names that the laboratory gives to variants of a plan. */
function namesOf(plan: string, steps: readonly Step[]): string[] {
  const last = steps.at(-1);
  const repair = last?.kind === 'repair' ? repairLabels[last.method] : '';
  return [plan, `${plan}, patched`, `${plan}, repaired by ${repair}`];
}

const usualParent = (variant: string): string | null => (variant === 'base' ? null : 'base');

/** Absent fields follow from the plan and the recipe. */
interface WrittenRow {
  readonly variant: string;
  /** The place among the usual names, or the name. */
  readonly name: number | string;
  readonly plan: PruningPlan;
  readonly recipe?: readonly Step[];
  /** '' for none. */
  readonly parent?: string;
  readonly parameters?: number;
  readonly ratio?: number;
  readonly layers?: number;
  readonly patchBytes?: number;
  readonly patchLost?: true;
  readonly countsOnly?: true;
  /** Of the first row: the results of tasks of all rows. Pages that know no tasks look past this place, and past it alone. */
  readonly tasks?: Json;
  readonly training?: TrainingCurves;
}

const name: Codec<number | string> = {
  write: (value) => value,
  read: (json, from) => (typeof json === 'number' ? from.whole(json) : from.text(json)),
};

const asIs: Codec<Json | undefined> = { write: (json) => json ?? 0, read: (json) => (json === 0 ? undefined : json) };

/** The recipe of a plan alone is absent. */
const isUsual = (steps: readonly Step[], usual: readonly Step[]): boolean =>
  steps.length === usual.length && steps.every(({ kind }) => kind === 'prune');

const patchBytesOf = (steps: readonly Step[], lost: boolean): number => (lost ? 0 : (patchOf(steps)?.bytes ?? 0));

/** As many as the laboratory lists. */
const mostRows = 1001;

/** A row without what was measured of it. */
type Unmeasured = Omit<ComparisonRow, 'perplexity' | 'latency' | 'tasks'> & Pick<WrittenRow, 'tasks'>;

const unmeasured: Codec<Unmeasured[]> = list(
  mapped(
    tuple<WrittenRow>({
      ...{ variant: variantId, plan, name },
      ...{ recipe: optional(recipe), parent: optional(text), parameters: optional(whole) },
      ...{ ratio: optional(figure(ratioDigits)), layers: optional(whole), patchBytes: optional(whole) },
      ...{ patchLost: mark, tasks: asIs, training: optional(curves), countsOnly: mark },
    }),
    (row, to) => {
      const follows = consequenceOf(row.plan, to.model.shape);
      const namePlace = namesOf(follows?.name ?? '', row.recipe).indexOf(row.name);
      const usual = recipeOf(row.plan);
      const planPlace = plan.write(row.plan, to);
      const samePlan = row.recipe.every((step) => step.kind !== 'prune' || plan.write(step.plan, to) === planPlace);
      const sameRatio = follows && rounded(follows.ratio, ratioDigits) === rounded(row.ratio, ratioDigits);
      const { variant } = row;
      return {
        ...{ variant, plan: row.plan, name: follows && namePlace >= 0 ? namePlace : row.name },
        ...(samePlan && isUsual(row.recipe, usual) ? {} : { recipe: row.recipe }),
        ...(row.parent === usualParent(variant) ? {} : { parent: row.parent ?? '' }),
        ...(row.parameters === follows?.parameters ? {} : { parameters: row.parameters }),
        ...(sameRatio ? {} : { ratio: row.ratio }),
        ...(row.layers === follows?.layers ? {} : { layers: row.layers }),
        ...(row.patchBytes === patchBytesOf(row.recipe, row.patchLost === true) ? {} : { patchBytes: row.patchBytes }),
        ...(row.patchLost ? { patchLost: true as const } : {}),
        ...(row.countsOnly ? { countsOnly: true as const } : {}),
        ...(row.tasks ? { tasks: row.tasks } : {}),
        ...(row.training ? { training: row.training } : {}),
      };
    },
    rowOf,
  ),
  mostRows,
);

function rowOf(read: WrittenRow, from: Reader): Unmeasured {
  const { shape } = from.model;
  if (!known.has(read.plan)) from.spend(8 * shape.layers.length);
  const follows = consequenceOf(read.plan, shape);
  const steps = read.recipe ?? recipeOf(read.plan);
  const usual = <T>(told: T | undefined, field: T | undefined): T => {
    const value = told ?? field;
    if (value === undefined) throw from.misfit('a plan that fits the model');
    return value;
  };
  const names = follows ? namesOf(follows.name, steps) : [];
  const parent = read.parent ?? usualParent(read.variant);
  return {
    ...read,
    name: usual(typeof read.name === 'string' ? read.name : names[read.name], undefined),
    parent: parent === '' ? null : parent,
    recipe: steps,
    parameters: usual(read.parameters, follows?.parameters),
    ratio: usual(read.ratio, follows?.ratio),
    layers: usual(read.layers, follows?.layers),
    patchBytes: read.patchBytes ?? patchBytesOf(steps, read.patchLost === true),
  };
}

/** How far a number is from its row's place: 0, then in turns above and below. Ids and plans count up in most reports. */
const fromPlace = (value: number, place: number): number =>
  value >= place ? 2 * (value - place) : 2 * (place - value) - 1;
const toPlace = (code: number, place: number): number => (code % 2 === 0 ? place + code / 2 : place - (code + 1) / 2);

/** The ids and the plans of rows, which stand in front, counted from the rows' places. */
function counted(rows: Json, change: (value: number, place: number) => number): Json {
  if (typeof rows !== 'object') return rows;
  return rows.map((row, place) => {
    if (typeof row !== 'object') return row;
    const [variant = 0, plan = 0, ...rest] = row;
    const front = [variant, plan].map((each) => (typeof each === 'number' ? change(each, place) : each));
    return trimmed([...front, ...rest]);
  });
}

/** The rows, and what was measured of them. */
export const comparison: Codec<ComparisonRow[]> = {
  write(rows, to) {
    const tasks = writeTasks(rows, to);
    const written = rows.map(({ tasks: _, ...row }, at): Unmeasured => {
      return at === 0 && tasks.length > 0 ? { ...row, tasks } : row;
    });
    return trimmed([counted(unmeasured.write(written, to), fromPlace), ...writeMeasured(rows, to)]);
  },
  read(json, from) {
    const [rows = [], perplexities = [], latencies = []] = from.list(json, 3);
    const variants = unmeasured.read(counted(rows, toPlace), from);
    const measured = readMeasured(perplexities, latencies, variants.length, from);
    const answers = from.inside('tasks', () => readTasks(variants[0]?.tasks ?? [], variants.length, from));
    return variants.map(({ tasks: _, ...row }, at) => {
      const tasks = answers[at]!;
      return { ...row, ...measured[at]!, ...(tasks.length > 0 && { tasks }) };
    });
  },
};
