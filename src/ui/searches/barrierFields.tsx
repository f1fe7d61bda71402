/** @file Fields for the number of blocks that a search keeps at each end. */
import type { Barriers } from '../../importance/types';
import { NumberField } from '../parts/numberField';

interface Props {
  /** Label of the search. */
  label: string;
  layers: number;
  barriers: Barriers;
  onBarriers: (barriers: Barriers) => void;
}

export function BarrierFields({ label, layers, barriers: { first, last }, onBarriers }: Props) {
  return (
    <fieldset className="barriers" title="Blocks at each end that the search never removes">
      <NumberField
        label="keep first"
        name={`${label}: first blocks to keep`}
        value={first}
        least={0}
        most={layers - 1}
        onChange={(value) => onBarriers({ first: value, last })}
      />
      <NumberField
        label="last"
        name={`${label}: last blocks to keep`}
        value={last}
        least={0}
        most={layers - 1}
        onChange={(value) => onBarriers({ first, last: value })}
      />
    </fieldset>
  );
}
