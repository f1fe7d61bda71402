/** @file How to read the strip: the ramp's ends, its scale, its marks. */
import { menuItem } from './menu';
import { firstOut } from './ranks';
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
          <b>1–4</b> first to go
        </span>
        {ranked && ranked.scale.beyond.length > 0 && (
          <span>
            <b>▲</b> off the scale:{' '}
            {ranked.scale.beyond.map((i) => `${i} (${ranked.format(ranked.scores.scores[i]!)})`).join(', ')}
          </span>
        )}
        {kept.length > 0 && (
          <span>
            <span className="kept-sign" /> kept by proposals
          </span>
        )}
      </div>
      {ranked && (
        <p className="meaning">
          <b>{ranked.label}.</b> {menuItem(ranked.criterion).meaning}
          <span className="phone-order"> Out first: {firstOut(ranked.order)}.</span>
        </p>
      )}
    </div>
  );
}
