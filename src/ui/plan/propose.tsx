/** @file Let the chosen criterion propose: how many blocks, with or without the + rule. */
import { type CSSProperties, useEffect, useId, useState } from 'react';
import { choosePlus, proposeCount } from '../../lab/commands';
import type { Ranked } from '../importance/useStrip';
import { useLab } from '../parts/useLab';

/** A drag across the slider is one edit: it is proposed when the thumb has rested this long. */
const restMs = 140;

interface Props {
  ranked: Ranked | null;
  layers: number;
}

export function Propose({ ranked, layers }: Props) {
  const slider = useId();
  const removed = useLab((state) => state.plan?.removeBlocks.length ?? 0);
  const plus = useLab((state) => state.plus);
  const [moved, setMoved] = useState<number | null>(null);
  const most = Math.min(ranked?.order.length ?? 0, layers - 1);
  const count = moved ?? removed;

  useEffect(() => {
    if (moved === null) return;
    const timer = setTimeout(() => {
      proposeCount(moved);
      setMoved(null);
    }, restMs);
    return () => clearTimeout(timer);
  }, [moved]);

  return (
    <div className="propose">
      <label htmlFor={slider}>
        Propose a cut of <output className="count">{count}</output> {count === 1 ? 'block' : 'blocks'}
        {ranked && (
          <>
            {' '}
            by <b>{ranked.label.toLowerCase()}</b>
          </>
        )}
      </label>
      <input
        id={slider}
        type="range"
        min={0}
        max={Math.max(most, 1)}
        step={1}
        value={Math.min(count, Math.max(most, 1))}
        disabled={most < 1}
        aria-valuetext={`${count} of ${layers} blocks`}
        style={{ '--share': `${most > 0 ? (Math.min(count, most) / most) * 100 : 0}%` } as CSSProperties}
        onChange={(event) => setMoved(event.target.valueAsNumber)}
      />
      <label className="check">
        <input type="checkbox" checked={plus} onChange={(event) => choosePlus(event.target.checked)} />
        protect first 4 and last 2 <span className="hint">(“+”)</span>
      </label>
      {!ranked && <span className="hint">Measure the chosen criterion first.</span>}
      {ranked && most < 1 && <span className="hint">The + rule protects every block of this model.</span>}
    </div>
  );
}
