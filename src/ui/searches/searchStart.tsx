/** @file The start button of a search, and the fields for the blocks that it keeps at each end. */

import type { Barriers } from '../../importance/types';
import { commands } from '../../lab/page/app';
import { useLab } from '../parts/useLab';
import { useProtected } from '../strip/useStrip';
import { BarrierFields } from './barrierFields';
import type { SearchItem } from './searchMenu';

interface Props {
  item: SearchItem;
  layers: number;
  barriers: Barriers;
  onBarriers: (barriers: Barriers) => void;
  /** True if the search has a result already. */
  again?: boolean;
}

export function SearchStart({ item, layers, barriers, onBarriers, again = false }: Props) {
  const noGpu = useLab((state) => state.ready && state.device === null);
  const allKept = useProtected().length >= layers;
  if (noGpu) return <span>needs WebGPU</span>;
  const { first, last } = barriers;
  const nothing = allKept || first + last >= layers;
  return (
    <>
      <button
        type="button"
        className="button small"
        aria-label={`Search with ${item.label}`}
        disabled={nothing}
        onClick={() => void commands.runSearch(item.id, { barriers })}
      >
        {again ? 'Search again' : 'Search'}
      </button>
      <BarrierFields label={item.label} layers={layers} barriers={barriers} onBarriers={onBarriers} />
      {allKept && <span>the + rule protects every block</span>}
      {!allKept && nothing && <span>no block remains to remove</span>}
      {!nothing && !again && <span>measures all remaining units at every step</span>}
    </>
  );
}
