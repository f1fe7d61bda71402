/** @file One coloured field of the strip: a score's place on the ramp, and its rank when it is among the first to go. */
import { rampColour } from './colourScale';
import { covers, scoreText } from './ranks';
import type { Ranked } from './useStrip';

/** So many of the first to go carry their number in their cell. */
const numbered = 4;

/** Which ink reads on a position of the ramp: in the middle, dark on both themes. */
export function inkOn(position: number): '' | 'mid' | 'deep' {
  return position > 0.65 ? 'deep' : position > 0.45 ? 'mid' : '';
}

interface Props {
  ranked: Ranked;
  index: number;
  rank: number | undefined;
  gone: boolean;
}

export function ScoreCell({ ranked, index, rank, gone }: Props) {
  const { scores, scale, mode } = ranked;
  const position = scale.positions[index] ?? null;
  const classes = ['cell', gone ? 'gone' : '', inkOn(position ?? 0)];
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
