/** @file The removed units of a plan in words, for tables outside the page. Pure. */
import type { ModelShape } from '../model/shape';
import { type KeptByLayer, type PruningPlan, removedByKind } from '../pruning/plan';

/** 'blocks 5 6; attention 3; heads 12 of 96; neurons 844 of 4224'; empty for the base. Without commas: a table may be CSV. */
export function removedWords(plan: PruningPlan, shape: Pick<ModelShape, 'layers'>): string {
  const [blocks, attentions, mlps] = removedByKind(plan);
  const list = (name: string, layers: readonly number[]): string[] =>
    layers.length > 0 ? [`${name} ${layers.join(' ')}`] : [];
  return [
    ...list(blocks.length > 1 ? 'blocks' : 'block', blocks),
    ...list('attention', attentions),
    ...list('MLP', mlps),
    ...narrowed('heads', plan.keepHeads, (layer) => shape.layers[layer]?.heads ?? 0),
    ...narrowed('neurons', plan.keepNeurons, (layer) => shape.layers[layer]?.ffn ?? 0),
  ].join('; ');
}

/** Single heads or neurons that the plan removes, of all that the narrowed blocks have. */
function narrowed(name: string, kept: KeptByLayer | undefined, sizeOf: (layer: number) => number): string[] {
  let [removed, all] = [0, 0];
  kept?.forEach((indices, layer) => {
    if (indices === null) return;
    all += sizeOf(layer);
    removed += sizeOf(layer) - indices.length;
  });
  return removed > 0 ? [`${name} ${removed} of ${all}`] : [];
}
