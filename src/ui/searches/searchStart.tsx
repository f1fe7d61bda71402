/** @file A search's button, and its barriers: blocks at either end that it never removes. */

import type { Barriers } from '../../importance/types';
import { runSearch } from '../../lab/page/commands';
import { useLab } from '../parts/useLab';
import { useProtected } from '../strip/useStrip';
import { BarrierFields } from './barrierFields';
import type { SearchItem } from './searchMenu';

interface Props {
  item: SearchItem;
  layers: number;
  barriers: Barriers;
  onBarriers: (barriers: Barriers) => void;
  /** There is a result already. */
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
        onClick={() => void runSearch(item.id, { barriers })}
      >
        {again ? 'Search again' : 'Search'}
      </button>
      <BarrierFields label={item.label} layers={layers} barriers={barriers} onBarriers={onBarriers} />
      {allKept && <span>the + rule protects every block</span>}
      {!allKept && nothing && <span>no block is left between them</span>}
      {!nothing && !again && <span>measures every remaining unit at each step</span>}
    </>
  );
}
