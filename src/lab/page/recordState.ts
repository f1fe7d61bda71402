/** @file The page's state as a report tells it: what charts and tables draw where no model is open. Pure. */
import { LabError, shown } from '../../errors';
import type { LayerShape, ModelShape } from '../../model/shape';
import { applyPlan } from '../../pruning/apply';
import { unitsOf } from '../../pruning/plan';
import type { ModelRecord } from '../../report/record';
import type { ComparisonRow, PerplexityResult, Runtime } from '../../report/results';
import type { VariantInfo } from '../contract/types';
import { measuredOf } from './saved';
import { initialState, type LabState, type UnitMode } from './store';
import { joined } from './subBlocks';
import { toPageScores } from './widthScores';

/** Runtimes by preference: the page's live numbers come from the first. */
const preferred: readonly Runtime[] = ['wgsl', 'ort-webgpu', 'ort-wasm'];

/** Most blocks of a model that the page draws. */
const mostBlocks = 1024;
/** Largest size that a shape may name: larger ones are no number of heads, channels or neurons. */
const largest = 2 ** 31;

/**
 * Scores, variants and measurements of the record. Nothing runs, nothing can be measured, and no plan is edited.
 * @throws LabError 'bad-report' where the record's variants do not fit its model: a record comes from outside
 */
export function stateOfRecord(record: ModelRecord): LabState {
  const { model, device, widthScores, comparison, title, notes } = record;
  requireShape(model.shape);
  for (const row of comparison) requirePlan(row, model.shape);
  const measured = measuredOf(record);
  const state: LabState = {
    ...initialState,
    ...measured,
    ready: true,
    ...{ device, model },
    words: { ...(title !== undefined && { title }), ...(notes !== undefined && { notes }) },
    base: bestBase(comparison),
    variants: comparison.map((row) => variantOf(row, model.shape)),
    widthScores: Object.fromEntries(widthScores.map((scores) => [scores.method, toPageScores(scores)])),
  };
  return { ...state, unitMode: scoredUnits(state)[0] ?? 'blocks' };
}

/** The units that a state has scores of, or searches over: blocks first. */
export function scoredUnits(
  state: Pick<LabState, 'scores' | 'subBlockScores' | 'widthScores' | 'searches' | 'evolution'>,
): UnitMode[] {
  const { scores, subBlockScores, widthScores, searches, evolution } = state;
  const searched = Object.keys(searches).length > 0 || evolution !== null;
  return [
    ...(Object.keys(scores).length > 0 || searched ? (['blocks'] as const) : []),
    ...(Object.values(subBlockScores).some((parts) => joined(parts)) ? (['subBlocks'] as const) : []),
    ...(Object.keys(widthScores).length > 0 ? (['width'] as const) : []),
  ];
}

/**
 * The base's perplexity that the most variants can be compared with: on the tokens that most of them were measured on, by the
 * preferred runtime. Null where the base has none.
 */
function bestBase(rows: readonly ComparisonRow[]): PerplexityResult | null {
  const base = rows.find(({ variant }) => variant === 'base')?.perplexity ?? {};
  const found = preferred.flatMap((runtime) => base[runtime] ?? []);
  const comparable = ({ text }: PerplexityResult): number =>
    rows.filter(({ perplexity }) => Object.values(perplexity).some((other) => other.text.hash === text.hash)).length;
  // The sort is stable: among equals the preferred runtime stays in front.
  return found.toSorted((a, b) => comparable(b) - comparable(a))[0] ?? null;
}

function variantOf(row: ComparisonRow, base: ModelShape): VariantInfo {
  const { variant: id, name, plan, parameters, ratio, parent, recipe, patchBytes, patchLost } = row;
  const lost = patchLost === undefined ? {} : { patchLost };
  return {
    ...{ id, name, plan, parameters, ratio, parent, recipe, patchBytes },
    ...lost,
    shape: applyPlan(base, plan),
  };
}

const isSize = (value: unknown, least: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value < largest;

/** Shapes are no part of a record's schema: what charts and tables read of one is checked here. */
function requireShape(shape: ModelShape): void {
  const { layers } = shape as { layers?: unknown };
  if (!Array.isArray(layers) || layers.length === 0 || layers.length > mostBlocks) {
    const got = Array.isArray(layers) ? `${layers.length} blocks` : shown(layers);
    throw misfit(`The model's shape: expected 1 to ${mostBlocks} blocks, got ${got}.`);
  }
  for (const [index, layer] of layers.entries()) {
    const { source, heads, kvHeads, headDim, ffn } = (layer ?? {}) as Partial<LayerShape>;
    const sizes = isSize(source, 0) && isSize(heads, 0) && isSize(kvHeads, 0) && isSize(headDim, 1) && isSize(ffn, 0);
    if (!sizes || (heads === 0) !== (kvHeads === 0) || (kvHeads !== 0 && heads! % kvHeads! !== 0)) {
      throw misfit(`Block ${index} of the model: expected sizes of an attention and an MLP, got ${shown(layer)}.`);
    }
  }
  const { hidden, vocab, maxPositions } = shape;
  if (!isSize(hidden, 1) || !isSize(vocab, 1) || !isSize(maxPositions, 1)) {
    throw misfit(`The model's shape: expected sizes, got ${shown({ hidden, vocab, maxPositions })}.`);
  }
}

function requirePlan({ name, plan }: ComparisonRow, { layers }: ModelShape): void {
  const outside = unitsOf(plan).find(({ layer }) => layer >= layers.length);
  if (outside === undefined) return;
  const got = `${outside.kind} ${outside.layer}`;
  throw misfit(`The plan of '${name}': expected units of the ${layers.length} blocks, got ${got}.`);
}

function misfit(message: string): LabError {
  return new LabError('bad-report', message, 'Ask the author for the report again: this one was changed on its way.');
}
