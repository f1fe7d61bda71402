/** @file The numbers of the blocks above the strip: which are removed, which are protected. */
import { type PruningPlan, removedLayers } from '../../pruning/plan';

interface Props {
  layers: number;
  plan: PruningPlan;
  /** Blocks that are protected from proposals. */
  kept: ReadonlySet<number>;
  /** Heading of the last column. */
  note: string;
}

export function IndexRow({ layers, plan, kept, note }: Props) {
  const removed = new Set(removedLayers(plan, 'block'));
  return (
    <div className="strip-row index-row" aria-hidden="true">
      <div className="strip-label" />
      {Array.from({ length: layers }, (_, block) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: a block is its index
          key={block}
          className={`index${kept.has(block) ? ' kept' : ''}${removed.has(block) ? ' removed' : ''}`}
        >
          {block}
        </div>
      ))}
      <div className="strip-order">{note}</div>
    </div>
  );
}
