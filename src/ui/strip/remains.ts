/** @file What remains of a narrowed attention or MLP, as the background of its part of the strip. Pure. */
import { headUnits, keptHeads, keptNeurons } from '../../lab/page/width';
import type { LayerShape } from '../../model/shape';
import type { SubBlockKind } from '../../model/unit';
import { keptOf, type PruningPlan } from '../../pruning/plan';

/** Bands of equal width with these colours, as a CSS background. */
export function bands(colours: readonly string[]): string {
  if (colours.length === 0) return 'none';
  const end = (index: number): string => `${((index / colours.length) * 100).toFixed(2)}%`;
  const stops = colours.map((colour, index) => `${colour} ${end(index)} ${end(index + 1)}`);
  return `linear-gradient(90deg, ${stops.join(', ')})`;
}

/** Bands of heads, hollow where they are removed; an MLP filled from below by the share that stays. Null: nothing is missing. */
export function remainsOf(
  kind: SubBlockKind,
  plan: PruningPlan,
  layer: LayerShape,
  block: number,
  colour: string,
): string | null {
  if (keptOf(plan, kind === 'mlp' ? 'keepNeurons' : 'keepHeads', block) === null) return null;
  if (kind === 'mlp') {
    const share = `${((keptNeurons(plan, layer, block) / layer.ffn) * 100).toFixed(2)}%`;
    return `linear-gradient(0deg, ${colour} ${share}, var(--cut-soft) ${share})`;
  }
  const kept = keptHeads(plan, layer, block);
  return bands(
    headUnits(layer).flatMap((unit) => unit.map((head) => (kept.includes(head) ? colour : 'var(--cut-soft)'))),
  );
}
