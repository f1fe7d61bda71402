/** @file A pruning plan is plain JSON: indices of the base's units, and nothing about tensors. */
import { LabError } from '../errors';
import { show } from '../model/configFields';
import { whyHeadsStay } from '../model/headStructures';
import type { LayerShape, ModelShape } from '../model/shape';
import { compareUnits, type DepthKind, type DepthUnit, hasUnit, removeUnits, sameUnit } from '../model/unit';
import { isRepairMethod, type RepairMethod, repairMethods } from './repairMethods';
import { checkRule, type WidthRule } from './widthRule';

/** By block of the base: the indices that stay, ascending; null where all of them stay. */
export type KeptByLayer = readonly (readonly number[] | null)[];

/**
 * What to remove, in indices of the base. This is the public JSON form: code that asks which blocks and sub-blocks a plan
 * removes calls `unitsOf`, code that asks what stays of a sub-block calls `keptOf`.
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
  /** Query heads that stay. Absent where no attention loses single heads. */
  readonly keepHeads?: KeptByLayer;
  /** Neurons that stay. Absent where no MLP loses single neurons. */
  readonly keepNeurons?: KeptByLayer;
  /** How a variant of this plan is repaired, unless it is asked for otherwise; not at all where absent. */
  readonly repair?: RepairMethod;
  /** The rule that chose the heads and neurons. Absent where a person or a search did. */
  readonly rule?: WidthRule;
}

/** What single heads and neurons a plan keeps. */
export type KeptWidth = Pick<PruningPlan, 'keepHeads' | 'keepNeurons'>;

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

/** The blocks and sub-blocks that a plan removes, in the order of the model. */
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
 * The plan that removes the given blocks and sub-blocks of a model, and of the others the heads and neurons that `width`
 * does not keep. Canonical form: ascending, without repeats, and a block that loses both its sub-blocks is removed as a
 * block. Two plans that remove the same are equal as JSON.
 */
export function planOfUnits(model: string, units: readonly DepthUnit[], width: KeptWidth = {}): PruningPlan {
  const layersOf = (kind: DepthKind) => units.filter((unit) => unit.kind === kind).map(({ layer }) => layer);
  const emptied = (kept: KeptByLayer = []) => kept.flatMap((list, layer) => (list?.length === 0 ? [layer] : []));
  const attentions = [...layersOf('attention'), ...emptied(width.keepHeads)];
  const mlps = [...layersOf('mlp'), ...emptied(width.keepNeurons)];
  const both = attentions.filter((layer) => mlps.includes(layer));
  const blocks = new Set([...layersOf('block'), ...both]);
  const subBlocks = (layers: readonly number[]) => ascending(layers.filter((layer) => !blocks.has(layer)));
  const plan = {
    version: 1 as const,
    model,
    removeBlocks: ascending(blocks),
    removeAttention: subBlocks(attentions),
    removeMlp: subBlocks(mlps),
  };
  return {
    ...plan,
    ...keptList('keepHeads', width.keepHeads, [...plan.removeBlocks, ...plan.removeAttention]),
    ...keptList('keepNeurons', width.keepNeurons, [...plan.removeBlocks, ...plan.removeMlp]),
  };
}

/** A list of a plan in canonical form: null for what is removed as a whole; nothing where it removes nothing. */
function keptList(
  name: keyof KeptWidth,
  kept: KeptByLayer | undefined,
  removed: readonly number[],
): Pick<PruningPlan, keyof KeptWidth> {
  if (kept === undefined) return {};
  const lists = kept.map((list, layer) => (list === null || removed.includes(layer) ? null : ascending(list)));
  return lists.every((list) => list === null) ? {} : { [name]: lists };
}

/** The heads or neurons of a block that stay, if the sub-block does; null where all of them do. */
export function keptOf(plan: KeptWidth, list: keyof KeptWidth, layer: number): readonly number[] | null {
  return plan[list]?.[layer] ?? null;
}

/** The same plan in canonical form. */
export function normalizePlan(plan: PruningPlan): PruningPlan {
  const { repair, rule } = plan;
  return {
    ...planOfUnits(plan.model, unitsOf(plan), plan),
    ...(repair !== undefined && { repair }),
    ...(rule !== undefined && { rule }),
  };
}

/**
 * Whether two plans remove the same of the same model. Equal plans do not make equal variants: a variant may have weights
 * of its own, so that its numbers are found by its id.
 */
export function samePlan(a: PruningPlan, b: PruningPlan): boolean {
  const [first, second] = [unitsOf(a), unitsOf(b)];
  return (
    a.model === b.model &&
    first.length === second.length &&
    first.every((unit, i) => sameUnit(unit, second[i]!)) &&
    sameLists(a.keepHeads, b.keepHeads) &&
    sameLists(a.keepNeurons, b.keepNeurons)
  );
}

function sameLists(a: KeptByLayer = [], b: KeptByLayer = []): boolean {
  const layers = Math.max(a.length, b.length);
  return Array.from({ length: layers }, (_, layer) => layer).every((layer) => {
    const [first, second] = [a[layer] ?? null, b[layer] ?? null];
    if (first === null || second === null) return first === second;
    return first.length === second.length && first.every((index, at) => index === second[at]);
  });
}

/** Whether a plan removes single heads or neurons. */
export function removesWidth(plan: PruningPlan): boolean {
  return plan.keepHeads !== undefined || plan.keepNeurons !== undefined;
}

/** True when nothing is removed. */
export function isEmptyPlan(plan: PruningPlan): boolean {
  return !removesWidth(plan) && kinds.every((kind) => removedLayers(plan, kind).length === 0);
}

function isPlan(value: unknown): value is PruningPlan {
  if (typeof value !== 'object' || value === null) return false;
  const plan = value as Record<string, unknown>;
  const hasLists = kinds.every((kind) => Array.isArray(plan[lists[kind]]));
  return plan['version'] === 1 && typeof plan['model'] === 'string' && hasLists;
}

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
  for (const kind of kinds) checkIndices(lists[kind], 'block indices', value[lists[kind]], layers);
  for (const kind of kinds) {
    for (const layer of value[lists[kind]]) checkSubBlock(kind, layer, shape.layers);
  }
  checkKept('keepHeads', 'query heads', value.keepHeads, shape.layers, ({ heads }) => heads);
  checkKept('keepNeurons', 'neurons', value.keepNeurons, shape.layers, ({ ffn }) => ffn);
  if (value.repair !== undefined && !isRepairMethod(value.repair)) {
    const message = `repair: expected one of ${repairMethods.join(', ')}, got ${show(value.repair)}.`;
    throw new LabError('bad-plan', message, 'Leave repair out of the plan, or give one of these.');
  }
  if (value.rule !== undefined) checkRule(value.rule);
  const plan = normalizePlan(withoutFullLists(value, shape.layers));
  plan.keepHeads?.forEach((kept, layer) => {
    if (kept !== null) checkHeads(kept, shape.layers[layer]!, layer);
  });
  // A checkpoint may lack sub-blocks from the start.
  if (removeUnits(shape, unitsOf(plan)).layers.length === 0) {
    throw new LabError('bad-plan', `The plan removes all ${layers} blocks.`, 'Keep at least one block.');
  }
  return plan;
}

/** Refuses indices that are not whole numbers from 0 to count − 1, each once. */
function checkIndices(where: string, what: string, indices: readonly unknown[], count: number): void {
  const seen = new Set<unknown>();
  for (const index of indices) {
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count) {
      const expected = count === 0 ? `no ${what}, since this block has none` : `${what} 0 to ${count - 1}`;
      throw new LabError('bad-plan', `${where}: expected ${expected}, got ${show(index)}.`, remedy);
    }
    if (seen.has(index)) {
      throw new LabError('bad-plan', `${where}: expected each index once, got ${index} twice.`, remedy);
    }
    seen.add(index);
  }
}

/** Refuses a sub-block that a block lacks from the start. */
function checkSubBlock(kind: DepthKind, layer: number, layers: readonly LayerShape[]): void {
  if (hasUnit(layers, { kind, layer })) return;
  const name = kind === 'mlp' ? 'an MLP' : 'an attention';
  throw new LabError('bad-plan', `${lists[kind]}: expected blocks with ${name}, got ${layer}, which has none.`, remedy);
}

/** Refuses a list of what stays that does not fit the blocks. */
function checkKept(
  name: keyof KeptWidth,
  what: string,
  value: unknown,
  layers: readonly LayerShape[],
  count: (layer: LayerShape) => number,
): void {
  if (value === undefined) return;
  if (!Array.isArray(value) || value.length !== layers.length) {
    const got = Array.isArray(value) ? `a list of ${value.length}` : show(value);
    const message = `${name}: expected a list with one entry for each of the ${layers.length} blocks, got ${got}.`;
    throw new LabError('bad-plan', message, `Give each block the ${what} that stay, or null if all stay.`);
  }
  value.forEach((kept: unknown, layer) => {
    if (kept === null) return;
    const where = `${name} of block ${layer}`;
    if (!Array.isArray(kept)) {
      const message = `${where}: expected a list of the ${what} that stay, or null, got ${show(kept)}.`;
      throw new LabError('bad-plan', message, remedy);
    }
    checkIndices(where, what, kept, count(layers[layer]!));
  });
}

/** A list that keeps everything says the same as null. */
function withoutFullLists(plan: PruningPlan, layers: readonly LayerShape[]): PruningPlan {
  const partial = (kept: KeptByLayer | undefined, count: (layer: LayerShape) => number) =>
    kept?.map((list, layer) => (list?.length === count(layers[layer]!) ? null : list));
  const keepHeads = partial(plan.keepHeads, ({ heads }) => heads);
  const keepNeurons = partial(plan.keepNeurons, ({ ffn }) => ffn);
  const { keepHeads: _heads, keepNeurons: _neurons, ...rest } = plan;
  return { ...rest, ...(keepHeads && { keepHeads }), ...(keepNeurons && { keepNeurons }) };
}

/** Refuses heads that a runtime could not run: key/value heads that stay need equally many query heads. */
function checkHeads(kept: readonly number[], layer: LayerShape, index: number): void {
  const where = `keepHeads of block ${index}`;
  const reason = whyHeadsStay(layer);
  if (reason !== null) {
    throw new LabError('bad-plan', `${where}: ${reason}`, 'Keep all heads of the block, or remove its attention.');
  }
  const perGroup = layer.heads / layer.kvHeads;
  const left = new Array<number>(layer.kvHeads).fill(0);
  for (const head of kept) left[Math.floor(head / perGroup)]! += 1;
  const sizes = left.filter((size) => size > 0);
  if (sizes.every((size) => size === sizes[0])) return;
  throw new LabError(
    'bad-plan',
    `${where}: every key/value head that stays needs equally many query heads, but they have ${sizes.join(', ')}.`,
    `Remove whole groups of ${perGroup} query heads, or the same number of heads from each group.`,
  );
}
