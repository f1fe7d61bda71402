/** @file One coloured cell of the strip: the score's colour, and its rank if it is among the first to be removed. */
import type { ReactNode } from 'react';
import type { UnitMode } from '../../lab/page/store';
import { subBlockIndex } from '../../lab/page/subBlocks';
import { rampColour } from './colourScale';
import { covers, scoreText } from './ranks';
import type { Ranked } from './useStrip';

/** Ranks up to this one are written in their cells. */
const numbered = 4;

/** The text colour that is readable on a ramp position; dark in the middle on both themes. */
export function inkOn(position: number): '' | 'mid' | 'deep' {
  return position > 0.65 ? 'deep' : position > 0.45 ? 'mid' : '';
}

interface ColumnsProps {
  layers: number;
  mode: UnitMode;
  /** The cell of a block or sub-block (the attention of block l is 2 l, its MLP 2 l + 1). */
  cell: (index: number) => ReactNode;
}

/** One cell per block; for sub-blocks a column of two thin cells, attention above. */
export function Columns({ layers, mode, cell }: ColumnsProps) {
  return Array.from({ length: layers }, (_, block) =>
    mode === 'blocks' ? (
      cell(block)
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: a block is its index
      <div key={block} className="cell-pair">
        {cell(subBlockIndex({ block, part: 'attention' }))}
        {cell(subBlockIndex({ block, part: 'mlp' }))}
      </div>
    ),
  );
}

interface Props {
  ranked: Ranked;
  index: number;
  rank: number | undefined;
  removed: boolean;
}

export function ScoreCell({ ranked, index, rank, removed }: Props) {
  const { scores, scale, mode } = ranked;
  const position = scale.positions[index] ?? null;
  const classes = ['cell', removed ? 'gone' : '', inkOn(position ?? 0)];
  return (
    <div
      className={classes.filter((name) => name !== '').join(' ')}
      style={{ background: rampColour(position) }}
      title={`${covers(index, scores.window, mode)}: ${scoreText(ranked, index, rank)}`}
      aria-hidden="true"
    >
      {scale.beyond.includes(index) ? '▲' : rank !== undefined && rank <= numbered ? rank : ''}
    </div>
  );
}
