/** @file Explains the strip of heads and neurons: the colour ramp, its scales, the hollow parts, the numbers. */
import { headKind } from '../../lab/page/width';
import { whyHeadsStay } from '../../model/headStructures';
import type { ModelShape } from '../../model/shape';
import type { ColourScale } from '../strip/colourScale';
import type { WidthRanked } from './widthRanked';
import { kindName, unitPlace } from './words';

export function WidthLegend({ ranked, shape }: { ranked: WidthRanked | null; shape: ModelShape }) {
  const kinds = new Set(shape.layers.map(headKind));
  const kind = kindName[kinds.has('kvGroup') ? 'kvGroup' : 'head'];
  const stuck = shape.layers.map(whyHeadsStay);
  const range = ({ domain }: ColourScale, format: (score: number) => string) =>
    `${format(domain[0])} to ${format(domain[1])}`;
  return (
    <div className="legend">
      <div className="legend-row">
        <span className="legend-ramp">
          safe to cut <span className="ramp" /> essential
        </span>
        {ranked && (
          <span>
            heads {range(ranked.headScale, ranked.formatHead)}, neurons {range(ranked.neuronScale, ranked.formatNeuron)}
          </span>
        )}
        <span>
          <span className="out-sign" /> removed
        </span>
        {ranked?.order[0] && (
          <span>
            <b>{unitPlace(ranked.order[0])}</b> {kind} {ranked.order[0].unit} of block {ranked.order[0].block}
          </span>
        )}
      </div>
      {ranked && (
        <p className="meaning">
          <b>{ranked.label}.</b> {ranked.meaning} Rows show the heads of each block above its neurons, which are sorted
          by score.
        </p>
      )}
      {stuck.every((why) => why !== null) && stuck[0] && (
        <p className="meaning">
          <b>Heads stay.</b> No single head of this model can be removed: {stuck[0]}
        </p>
      )}
    </div>
  );
}
