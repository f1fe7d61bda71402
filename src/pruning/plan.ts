/** @file A pruning plan is plain JSON: indices of the base's units, and nothing about tensors. */
import { LabError } from '../errors';
import { show } from '../model/configFields';
import type { ModelShape } from '../model/shape';
import {
  compareUnits,
  type DepthKind,
  type DepthUnit,
  formatUnit,
  isWidthUnit,
  sameUnit,
  type Unit,
} from '../model/unit';

/**
 * What to remove, in indices of the base. This is the public JSON form: code that asks what a plan removes calls
 * `unitsOf`, code that makes one calls `planOfUnits`.
 */
export interface PruningPlan {
  readonly version: 1;
  /** Id of the model that the indices belong to. */
  readonly model: string;
  /** Blocks to remove, ascending. */
  readonly removeBlocks: readonly number[];
  /** Blocks that lose only their attention, ascending; none of them in removeBlocks. */
  readonly removeAttention: readonly number[];
  /** Blocks that lose only their MLP, ascending; none of them in removeBlocks. */
  readonly removeMlp: readonly number[];
}

/** The plan that removes nothing. */
export function emptyPlan(model: string): PruningPlan {
  return { version: 1, model, removeBlocks: [], removeAttention: [], removeMlp: [] };
}

/** The list of a plan that holds the units of each kind. */
const lists = { block: 'removeBlocks', attention: 'removeAttention', mlp: 'removeMlp' } as const satisfies Record<
  DepthKind,
  keyof PruningPlan
>;
const kinds = ['block', 'attention', 'mlp'] as const satisfies readonly DepthKind[];

/** The units that a plan removes, in the order of the model. */
export function unitsOf(plan: PruningPlan): DepthUnit[] {
  return kinds.flatMap((kind) => plan[lists[kind]].map((layer) => ({ kind, layer }))).sort(compareUnits);
}

/** The layers of which a plan removes the block, the attention or the MLP, ascending. */
export function removedLayers(plan: PruningPlan, kind: DepthKind): readonly number[] {
  return plan[lists[kind]];
}

/** The layers of which a plan removes the block, those of which it removes the attention, and those of which it removes the MLP. */
export function removedByKind(
  plan: PruningPlan,
): [blocks: readonly number[], attentions: readonly number[], mlps: readonly number[]] {
  return [plan.removeBlocks, plan.removeAttention, plan.removeMlp];
}

const ascending = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b);

/**
 * The plan that removes the given units of a model, in canonical form: ascending, without repeats, and a block that loses
 * both its sub-blocks is removed as a block. Two plans that remove the same units are equal as JSON.
 * @throws LabError 'not-available' for heads and neurons
 */
export function planOfUnits(model: string, units: readonly Unit[]): PruningPlan {
  const width = units.find(isWidthUnit);
  if (width !== undefined) throw notYet(formatUnit(width));
  const layersOf = (kind: DepthKind) => units.filter((unit) => unit.kind === kind).map(({ layer }) => layer);
  const mlp = new Set(layersOf('mlp'));
  const both = layersOf('attention').filter((layer) => mlp.has(layer));
  const blocks = new Set([...layersOf('block'), ...both]);
  const subBlocks = (kind: DepthKind) => ascending(layersOf(kind).filter((layer) => !blocks.has(layer)));
  return {
    version: 1,
    model,
    removeBlocks: ascending(blocks),
    removeAttention: subBlocks('attention'),
    removeMlp: subBlocks('mlp'),
  };
}

function notYet(where: string): LabError {
  return new LabError(
    'not-available',
    `${where}: plans remove blocks, attentions and MLPs; heads and neurons are not in this version.`,
    'Leave the heads and neurons out of the plan.',
  );
}

/** The same plan in canonical form. */
export function normalizePlan(plan: PruningPlan): PruningPlan {
  return planOfUnits(plan.model, unitsOf(plan));
}

/**
 * Whether two plans remove the same units of the same model. Equal plans do not make equal variants: a variant may have
 * weights of its own, so that its numbers are found by its id.
 */
export function samePlan(a: PruningPlan, b: PruningPlan): boolean {
  const [first, second] = [unitsOf(a), unitsOf(b)];
  return a.model === b.model && first.length === second.length && first.every((unit, i) => sameUnit(unit, second[i]!));
}

/** True when nothing is removed. */
export function isEmptyPlan(plan: PruningPlan): boolean {
  return kinds.every((kind) => removedLayers(plan, kind).length === 0);
}

function isPlan(value: unknown): value is PruningPlan {
  if (typeof value !== 'object' || value === null) return false;
  const plan = value as Record<string, unknown>;
  const hasLists = kinds.every((kind) => Array.isArray(plan[lists[kind]]));
  return plan['version'] === 1 && typeof plan['model'] === 'string' && hasLists;
}

/** Lists of plans to come, by layer: null where all of them stay. A version that ignored them would apply another plan. */
const laterLists = ['keepHeads', 'keepNeurons'] as const;
const removesSomething = (list: unknown): boolean =>
  Array.isArray(list) ? list.some((kept) => kept !== null) : list !== undefined && list !== null;

const remedy = 'Make the plan with lab.plan(…) for the model that is open.';

/**
 * Checks a plan that may come from outside against the model that it is for; returns it in canonical form.
 * @throws LabError 'bad-plan' naming the first thing that does not fit.
 */
export function checkPlan(value: unknown, model: string, shape: ModelShape): PruningPlan {
  if (!isPlan(value)) {
    throw new LabError(
      'bad-plan',
      'The plan is not a pruning plan of version 1 (version, model, removeBlocks, …).',
      remedy,
    );
  }
  if (value.model !== model) {
    throw new LabError(
      'bad-plan',
      `The plan is for model '${value.model.slice(0, 200)}', but '${model}' is open.`,
      remedy,
    );
  }
  const layers = shape.layers.length;
  for (const list of laterLists) if (list in value && removesSomething(Reflect.get(value, list))) throw notYet(list);
  for (const kind of kinds) {
    const list = lists[kind];
    for (const index of value[list]) {
      if (!Number.isInteger(index) || index < 0 || index >= layers) {
        const got = show(index);
        throw new LabError('bad-plan', `${list}: expected block indices 0 to ${layers - 1}, got ${got}.`, remedy);
      }
    }
  }
  const plan = normalizePlan(value);
  if (removedLayers(plan, 'block').length >= layers) {
    throw new LabError('bad-plan', `The plan removes all ${layers} blocks.`, 'Keep at least one block.');
  }
  return plan;
}
