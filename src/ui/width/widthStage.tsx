/** @file The strip while heads and neurons are removed: rows of width methods, the model as what remains of it, one block in detail. */
import { type CSSProperties, useState } from 'react';
import { widthMethods } from '../../importance/methods';
import type { PruningPlan } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import { useLab } from '../parts/useLab';
import { ProposeWidth } from '../plan/proposeWidth';
import { IndexRow } from '../strip/indexRow';
import { isNarrow } from '../strip/narrow';
import { BlockDetail } from './blockDetail';
import type { Place } from './headGrid';
import { MethodRow } from './methodRow';
import { ModelRow } from './modelRow';
import { useShownWidthMethod, useWidthRanked } from './useWidth';
import { WidthLegend } from './widthLegend';
import { WidthTable } from './widthTable';

const unprotected: ReadonlySet<number> = new Set();

export function WidthStage({ model, plan }: { model: ModelInfo; plan: PruningPlan }) {
  const layers = model.shape.layers.length;
  const shown = useWidthRanked(useShownWidthMethod());
  const chosen = useWidthRanked(useLab((state) => state.widthMethod));
  const [at, setAt] = useState<Place>({ block: 0, unit: 0 });
  const [hovered, setHovered] = useState<Place | null>(null);
  // A newly opened model may have fewer blocks than the one in focus.
  const place: Place = at.block < layers ? at : { block: 0, unit: 0 };
  return (
    <>
      <div className="strip-scroll">
        <div
          className={isNarrow(layers) ? 'strip width narrow' : 'strip width'}
          style={{ '--blocks': layers } as CSSProperties}
        >
          <IndexRow layers={layers} plan={plan} kept={unprotected} note="removed first" />
          <div role="radiogroup" aria-label="Method that colours heads and neurons and proposes cuts">
            {widthMethods.map((method) => (
              <MethodRow key={method.id} method={method} layers={layers} />
            ))}
          </div>
          <ModelRow
            model={model}
            plan={plan}
            ranked={shown}
            at={place}
            editable={chosen !== null}
            onPlace={setAt}
            onHover={setHovered}
          />
        </div>
      </div>
      <BlockDetail model={model} plan={plan} ranked={shown} chosen={chosen} at={hovered ?? place} block={place.block} />
      <WidthLegend ranked={shown} shape={model.shape} />
      <ProposeWidth model={model} plan={plan} />
      {shown && <WidthTable ranked={shown} layers={model.shape.layers} plan={plan} />}
    </>
  );
}
