/** @file Proposes a plan by the chosen criterion: how many blocks or sub-blocks to cut, with or without the + rule. */
import { commands } from '../../lab/page/app';
import type { DepthMode } from '../../lab/page/store';
import { removedSubBlocks } from '../../lab/page/subBlocks';
import { removedLayers } from '../../pruning/plan';
import { RangeSlider } from '../parts/rangeSlider';
import { useLab } from '../parts/useLab';
import type { Ranked } from '../strip/useStrip';

interface Props {
  ranked: Ranked | null;
  mode: DepthMode;
  layers: number;
}

export function Propose({ ranked, mode, layers }: Props) {
  const removed = useLab(({ plan }) => {
    if (!plan) return 0;
    return mode === 'blocks' ? removedLayers(plan, 'block').length : removedSubBlocks(plan).size;
  });
  const plus = useLab((state) => state.plus);
  const units = mode === 'blocks' ? layers : 2 * layers;
  const most = Math.min(ranked?.order.length ?? 0, units - 1);
  return (
    <div className="propose">
      <RangeSlider
        value={removed}
        most={most}
        disabled={most < 1}
        valueText={(count) => (mode === 'blocks' ? `${count} of ${units} blocks` : `${count} of ${units} sub-blocks`)}
        onRest={commands.proposeCount}
      >
        {(count) => (
          <>
            Propose a cut of <output className="count">{count}</output> {unitWord(mode, count, units)}
            {ranked && (
              <>
                {' '}
                by <b>{ranked.label.toLowerCase()}</b>
              </>
            )}
          </>
        )}
      </RangeSlider>
      <label className="check">
        <input type="checkbox" checked={plus} onChange={(event) => commands.choosePlus(event.target.checked)} />
        protect first 4 and last 2 <span className="hint">(“+”)</span>
      </label>
      {!ranked && <span className="hint">Measure the chosen criterion first.</span>}
      {ranked && most < 1 && <span className="hint">The + rule protects every block of this model.</span>}
    </div>
  );
}

function unitWord(mode: DepthMode, count: number, units: number): string {
  if (mode === 'subBlocks') return `of ${units} sub-blocks`;
  return count === 1 ? 'block' : 'blocks';
}
