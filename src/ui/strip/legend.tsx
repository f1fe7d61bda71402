/** @file Explains the strip: the ends of the colour ramp, its scale, its marks. */
import { meaningOf } from './menu';
import { firstOut, unitShort } from './ranks';
import { type Ranked, useProtected } from './useStrip';

export function Legend({ ranked }: { ranked: Ranked | null }) {
  const kept = useProtected();
  return (
    <div className="legend">
      <div className="legend-row">
        <span className="legend-ramp">
          safe to cut <span className="ramp" /> essential
        </span>
        {ranked && (
          <span>
            {ranked.scale.log ? 'log scale' : 'linear scale'} from {ranked.format(ranked.scale.domain[0])} to{' '}
            {ranked.format(ranked.scale.domain[1])}
          </span>
        )}
        <span className="legend-numbers">
          <b>1–4</b> removed first
        </span>
        {ranked && ranked.scale.beyond.length > 0 && (
          <span>
            <b>▲</b> off the scale:{' '}
            {ranked.scale.beyond
              .map((i) => `${unitShort(ranked.mode, i)} (${ranked.format(ranked.scores.scores[i]!)})`)
              .join(', ')}
          </span>
        )}
        {ranked?.mode === 'subBlocks' && (
          <span>
            <b>a</b> attention, above · <b>m</b> MLP, below
          </span>
        )}
        {kept.length > 0 && (
          <span>
            <span className="kept-sign" /> protected by the + rule
          </span>
        )}
      </div>
      {ranked && (
        <p className="meaning">
          <b>{ranked.label}.</b> {meaningOf(ranked.mode, ranked.criterion)}
          <span className="phone-order"> Removed first: {firstOut(ranked.order, ranked.mode)}.</span>
        </p>
      )}
    </div>
  );
}
