/**
 * @file The model on the strip's columns: the heads and the MLP of every block. A click or Space removes or restores heads, arrow
 * keys walk, + and − change the neurons of an MLP, Enter on an MLP goes to its slider.
 */
import { type KeyboardEvent, type SyntheticEvent, useMemo, useRef } from 'react';
import { commands } from '../../lab/page/app';
import { headUnits, isRemoved, keptHeads, keptNeurons, neuronStep } from '../../lab/page/width';
import { whyHeadsStay } from '../../model/headStructures';
import type { PruningPlan } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import { isNarrow } from '../strip/narrow';
import { BlockColumn } from './blockColumn';
import { focusNeurons } from './blockDetail';
import { headGrid, type Place, walkedPlace } from './headGrid';
import type { WidthRanked } from './widthRanked';

interface Props {
  model: ModelInfo;
  plan: PruningPlan;
  ranked: WidthRanked | null;
  /** The place that was focused last. */
  at: Place;
  /** False until the chosen method is measured: the order of the neurons is unknown. */
  editable: boolean;
  onPlace: (place: Place) => void;
  onHover: (place: Place | null) => void;
}

const removedWhole = (plan: PruningPlan, block: number): 'block' | 'attention' | 'mlp' | null => {
  if (plan.removeBlocks.includes(block)) return 'block';
  return isRemoved(plan, 'attention', block) ? 'attention' : isRemoved(plan, 'mlp', block) ? 'mlp' : null;
};

/** The place of the button that an event came from; null where it came from none. */
function placeOf(event: SyntheticEvent): { place: Place; button: HTMLElement } | null {
  const button = (event.target as Element).closest<HTMLElement>('button[data-block]');
  if (!button) return null;
  const { block, unit, part } = button.dataset;
  const place = { block: Number(block), unit: unit === 'mlp' || part === 'mlp' ? ('mlp' as const) : Number(unit ?? 0) };
  return { place, button };
}

export function ModelRow({ model, plan, ranked, at, editable, onPlace, onHover }: Props) {
  const { layers } = model.shape;
  const row = useRef<HTMLFieldSetElement>(null);
  const grids = useMemo(
    () =>
      layers.map((layer) => {
        const units = headUnits(layer);
        return headGrid(units.length, units[0]?.length ?? 1, layers.length, isNarrow(layers.length));
      }),
    [layers],
  );
  const walkable = layers.map((layer, block) => ({
    units: isRemoved(plan, 'attention', block) ? 0 : headUnits(layer).length,
    columns: isRemoved(plan, 'attention', block) ? 1 : grids[block]!.columns,
  }));
  // A removed block is one button; an attention that was removed meanwhile is another one than its heads.
  const { units } = walkable[at.block]!;
  const stop: Place = at.unit === 'mlp' || at.unit < Math.max(1, units) ? at : { block: at.block, unit: 0 };

  const focus = (place: Place): void => {
    onPlace(place);
    const inBlock = `[data-block="${place.block}"]`;
    const unit = row.current?.querySelector<HTMLElement>(`button${inBlock}[data-unit="${place.unit}"]`);
    const part = place.unit === 'mlp' ? 'mlp' : 'attention';
    const other = row.current?.querySelector<HTMLElement>(
      `button${inBlock}:is([data-part="${part}"], [data-part="block"])`,
    );
    (unit ?? other)?.focus();
  };

  const press = (event: KeyboardEvent): void => {
    const change = { '+': 1, '=': 1, '-': -1, '−': -1 }[event.key];
    const target = walkedPlace(stop, event.key, walkable);
    if (event.ctrlKey || event.metaKey || event.altKey || (change === undefined && !target)) return;
    event.preventDefault();
    if (target) {
      focus(target);
      return;
    }
    const layer = layers[at.block]!;
    const kept = keptNeurons(plan, layer, at.block);
    if (editable && kept > 0) commands.keepNeurons(at.block, kept + (change ?? 0) * neuronStep(layer.ffn));
  };

  const click = (event: SyntheticEvent): void => {
    const found = placeOf(event);
    if (!found) return;
    const { place, button } = found;
    onPlace(place);
    const { part } = button.dataset;
    if (part === 'block') commands.toggleBlock(place.block);
    else if (part === 'attention' || part === 'mlp') commands.toggleSubBlock({ layer: place.block, kind: part });
    else if (place.unit === 'mlp') focusNeurons();
    else commands.toggleHeads(place.block, place.unit);
  };

  return (
    <fieldset
      className="strip-row width-row"
      aria-label="Heads and MLP of every block"
      ref={row}
      onKeyDown={press}
      onClick={click}
      onFocus={(event) => {
        const found = placeOf(event);
        if (found) onPlace(found.place);
      }}
      onPointerOver={(event) => onHover(placeOf(event)?.place ?? null)}
      onPointerLeave={() => onHover(null)}
    >
      <div className="strip-label model-label">
        <b>The model</b>
        <span className="hint">{ranked ? `by ${ranked.label}` : 'click to cut'}</span>
      </div>
      {layers.map((layer, block) => (
        <BlockColumn
          key={layer.source}
          block={block}
          layer={layer}
          ranked={ranked}
          grid={grids[block]!}
          keptHeads={keptHeads(plan, layer, block).join(',')}
          keptNeurons={keptNeurons(plan, layer, block)}
          removed={removedWhole(plan, block)}
          stop={stop.block === block ? stop.unit : null}
          reason={whyHeadsStay(layer)}
        />
      ))}
      <div className="strip-order model-parts">heads above, MLP below, its neurons in the order of their scores</div>
    </fieldset>
  );
}
