/** @file What one plan removes beyond another one. */
import { LabError } from '../errors';
import type { LayerShape, ModelShape } from '../model/shape';
import { type DepthUnit, formatUnit, subBlockKinds } from '../model/unit';
import { applyPlan } from './apply';
import { keptOf, type PruningPlan, planOfUnits, removedLayers } from './plan';

const keptLists = [
  ['keepHeads', 'head', 'heads', 'attention'],
  ['keepNeurons', 'neuron', 'ffn', 'mlp'],
] as const;

/**
 * What `after` removes of the model that `before` leaves, as a plan in indices of that model's blocks, heads and neurons.
 *
 * @param base the unpruned model, in whose indices both plans are
 * @throws LabError 'bad-plan' naming what `before` removes and `after` does not
 */
export function planBeyond(base: ModelShape, before: PruningPlan, after: PruningPlan): PruningPlan {
  const present = new Map(applyPlan(base, before).layers.map(({ source }, at) => [source, at]));
  const missing: string[] = [];
  const units: DepthUnit[] = [];
  const kept = {
    keepHeads: new Array<readonly number[] | null>(present.size).fill(null),
    keepNeurons: new Array<readonly number[] | null>(present.size).fill(null),
  };
  const removes = (plan: PruningPlan, kind: DepthUnit['kind'], layer: number): boolean =>
    removedLayers(plan, 'block').includes(layer) || removedLayers(plan, kind).includes(layer);
  base.layers.forEach((shape, layer) => {
    const at = present.get(shape.source);
    if (removes(after, 'block', layer)) {
      if (at !== undefined) units.push({ kind: 'block', layer: at });
      return;
    }
    if (removes(before, 'block', layer)) {
      missing.push(formatUnit({ kind: 'block', layer }));
      return;
    }
    for (const kind of subBlockKinds) {
      const gone = removes(before, kind, layer);
      if (gone && !removes(after, kind, layer)) missing.push(formatUnit({ kind, layer }));
      if (!gone && at !== undefined && removes(after, kind, layer)) units.push({ kind, layer: at });
    }
    for (const [list, unit, size, kind] of keptLists) {
      if (at === undefined || removes(after, kind, layer) || removes(before, kind, layer)) continue;
      const first = keptOf(before, list, layer) ?? allOf(shape, size);
      const second = keptOf(after, list, layer) ?? allOf(shape, size);
      const places = new Map(first.map((index, place) => [index, place]));
      missing.push(...second.filter((index) => !places.has(index)).map((index) => `${unit} ${layer}.${index}`));
      if (second.length < first.length) kept[list][at] = second.map((index) => places.get(index)!);
    }
  });
  if (missing.length > 0) throw notRemoved(missing);
  return planOfUnits(after.model, units, kept);
}

const allOf = (shape: LayerShape, size: 'heads' | 'ffn'): number[] =>
  Array.from({ length: shape[size] }, (_, index) => index);

function notRemoved(missing: readonly string[]): LabError {
  const shown =
    missing.length > 8 ? `${missing.slice(0, 8).join(', ')} and ${missing.length - 8} more` : missing.join(', ');
  return new LabError(
    'bad-plan',
    `plan: expected all that the parent removes, but the plan keeps ${shown}.`,
    'Add it to the plan: a variant that goes on from its parent cannot have back what the parent lost.',
  );
}
