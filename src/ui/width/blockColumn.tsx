/** @file One block of the strip as what remains of it: its heads above, its MLP below. Its row handles clicks and keys. */
import { type CSSProperties, memo } from 'react';
import { headUnits } from '../../lab/page/width';
import type { LayerShape } from '../../model/shape';
import { rampColour } from '../strip/colourScale';
import type { HeadGrid, Place } from './headGrid';
import { profileGradient, type WidthRanked } from './widthRanked';
import { groupText, headsText, neuronsText, profileText, unitTitle } from './words';

interface Props {
  block: number;
  layer: LayerShape;
  ranked: WidthRanked | null;
  grid: HeadGrid;
  /** Query heads that stay, joined by commas: a text, so that only columns that change are drawn again. */
  keptHeads: string;
  keptNeurons: number;
  /** What is removed as a whole. */
  removed: 'block' | 'attention' | 'mlp' | null;
  /** The tab stop, where it is in this block. */
  stop: Place['unit'] | null;
  /** Why no single head can be removed. */
  reason: string | null;
}

export const BlockColumn = memo(function BlockColumn(props: Props) {
  const { block, removed, stop } = props;
  if (removed === 'block') return <Cut block={block} name={`block ${block}`} part="block" stop={stop !== null} />;
  return (
    <div className={stop === null ? 'width-block' : 'width-block current'}>
      {removed === 'attention' ? (
        <Cut block={block} name={`attention of block ${block}`} part="attention" stop={typeof stop === 'number'} />
      ) : (
        <Heads {...props} />
      )}
      {removed === 'mlp' ? (
        <Cut block={block} name={`MLP of block ${block}`} part="mlp" stop={stop === 'mlp'} />
      ) : (
        <Mlp {...props} />
      )}
    </div>
  );
});

interface CutProps {
  block: number;
  name: string;
  part: 'block' | 'attention' | 'mlp';
  stop: boolean;
}

/** A block, an attention or an MLP that is removed as a whole, as the other modes show it. */
function Cut({ block, name, part, stop }: CutProps) {
  return (
    <button
      type="button"
      className={`block cut width-cut ${part}`}
      data-block={block}
      data-part={part}
      aria-pressed="true"
      aria-label={`Cut ${name}`}
      title={`Restore the ${name}`}
      tabIndex={stop ? 0 : -1}
    >
      <span className="cut-sign">
        <em className="is-cut">cut</em>
        <em className="will-restore">restore</em>
      </span>
    </button>
  );
}

function Heads({ block, layer, ranked, grid, keptHeads, stop, reason }: Props) {
  const kept = new Set(keptHeads.split(','));
  const units = headUnits(layer);
  const left = units.filter((unit) => unit.some((head) => kept.has(String(head)))).length;
  return (
    <div
      className="width-heads"
      style={{ '--columns': grid.columns, '--per-row': grid.perRow } as CSSProperties}
      data-block={block}
    >
      {units.map((heads, unit) => {
        const out = heads.every((head) => !kept.has(String(head)));
        const stays = reason !== null || (!out && left === 1);
        const group = groupText(layer, unit);
        const about = `${group ? `${group}: ` : ''}${headsText(ranked, block, unit)}`;
        return (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: a unit is its position
            key={unit}
            type="button"
            className={out ? 'width-unit out' : 'width-unit'}
            data-block={block}
            data-unit={unit}
            aria-pressed={out}
            aria-disabled={stays}
            aria-label={`Cut ${unitTitle(layer, block, unit)}`}
            title={stays ? (reason ?? 'The last one stays') : about}
            tabIndex={stop === unit ? 0 : -1}
          >
            {heads.map((head) => {
              const stayed = kept.has(String(head));
              const colour = rampColour(ranked?.headPositions[block]?.[head] ?? null);
              return (
                <i key={head} className={stayed ? '' : 'out'} style={stayed ? { background: colour } : undefined} />
              );
            })}
          </button>
        );
      })}
    </div>
  );
}

function Mlp({ block, layer, ranked, keptNeurons, stop }: Props) {
  const { ffn } = layer;
  const narrowed = keptNeurons < ffn;
  return (
    <button
      type="button"
      className={narrowed ? 'width-mlp narrowed' : 'width-mlp'}
      data-block={block}
      data-unit="mlp"
      aria-label={`MLP of block ${block}: ${neuronsText(keptNeurons, ffn)}`}
      aria-keyshortcuts="+ - Enter"
      title={`MLP of block ${block}: ${neuronsText(keptNeurons, ffn)}. Neurons by ${profileText(ranked, block)}. Press + or − to change the number.`}
      tabIndex={stop === 'mlp' ? 0 : -1}
    >
      {narrowed && <em>{keptNeurons}</em>}
      <span
        className="fill"
        style={{
          background: profileGradient(ranked?.profilePositions[block], '180deg'),
          clipPath: `inset(${((1 - keptNeurons / ffn) * 100).toFixed(2)}% 0 0 0 round 5px)`,
        }}
      />
    </button>
  );
}
