/** @file One coloured cell of the strip: its colour shows the score; the first units to remove show their rank. */
import type { ReactNode } from 'react';
import type { DepthMode } from '../../lab/page/store';
import { indicesOfBlocks } from '../../lab/page/subBlocks';
import { rampColour } from './colourScale';
import { covers, scoreText } from './ranks';
import type { Ranked } from './useStrip';

/** How many of the first units to remove show their rank. */
const numbered = 4;

/** The text colour that is legible on a position of the ramp; the middle of the ramp is dark in both themes. */
export function inkOn(position: number): '' | 'mid' | 'deep' {
  return position > 0.65 ? 'deep' : position > 0.45 ? 'mid' : '';
}

interface ColumnsProps {
  layers: number;
  mode: DepthMode;
  /** The cell of a block or sub-block, by its index in the scores. */
  cell: (index: number) => ReactNode;
}

/** One cell per block, or per block a column of two thin cells: the attention above its MLP. */
export function Columns({ layers, mode, cell }: ColumnsProps) {
  return Array.from({ length: layers }, (_, block) =>
    mode === 'blocks' ? (
      cell(block)
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: a block is its index
      <div key={block} className="cell-pair">
        {indicesOfBlocks([block]).map(cell)}
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
  const classes = ['cell', removed ? 'removed' : '', inkOn(position ?? 0)];
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
