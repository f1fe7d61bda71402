/** @file Whether a number agrees with the report's: a shape and a word, so that colour is not needed. */
import type { ReproducedValue } from '../../report/reproduction/values';

export type Verdict = 'agrees' | 'differs' | 'not measured';

export function verdictOf({ agrees, here }: Pick<ReproducedValue, 'agrees' | 'here'>): Verdict {
  if (agrees === null) return 'not measured';
  return agrees && here !== null ? 'agrees' : 'differs';
}

/** A tick in a disc; a triangle; an open circle. */
const shapes: Readonly<Record<Verdict, string>> = {
  agrees: 'M7 1.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM4.4 7.2l1.9 1.9 3.4-4',
  differs: 'M7 1.5 13 12.5H1zM7 5.6v3M7 10.6v.1',
  'not measured': 'M7 1.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 7 1.8z',
};

export function VerdictMark({ verdict }: { verdict: Verdict }) {
  return (
    <span className={`verdict-mark verdict-${verdict.replace(' ', '-')}`}>
      <svg width={14} height={14} viewBox="0 0 14 14" aria-hidden="true">
        <path d={shapes[verdict]} />
      </svg>
      {verdict}
    </span>
  );
}
