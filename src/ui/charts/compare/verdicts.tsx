/** @file Which one wins where, in sentences. */
import { useMemo } from 'react';
import type { ComparisonRow } from '../../../report/results';
import { type Verdict, verdictsOf } from '../../../report/verdict';
import { Disclosure } from '../../parts/disclosure';
import { Emulated } from './emulated';

const measures: Readonly<Record<Verdict['measure'], string>> = {
  perplexity: 'Quality',
  latency: 'Speed',
  memory: 'Memory',
};

export function Verdicts({ rows }: { rows: readonly ComparisonRow[] }) {
  const verdicts = useMemo(() => verdictsOf(rows), [rows]);
  const software = rows.some(({ latency }) => latency.some(({ device }) => device.software));
  const first = firstToRead(verdicts);
  const rest = verdicts.filter((verdict) => !first.includes(verdict));
  if (verdicts.length === 0) return null;
  return (
    <section className="verdicts" aria-labelledby="verdicts-title">
      <h3 id="verdicts-title">Which one wins where</h3>
      {software && (
        <p className="sub">
          <Emulated />
        </p>
      )}
      <VerdictList verdicts={first} />
      {rest.length > 0 && (
        <Disclosure summary="The other batch sizes">
          <VerdictList verdicts={rest} />
        </Disclosure>
      )}
    </section>
  );
}

/** Quality, speed at the smallest and the largest batch, memory at the largest. */
function firstToRead(verdicts: readonly Verdict[]): readonly Verdict[] {
  const speeds = verdicts.filter(({ measure }) => measure === 'latency');
  const memory = verdicts.filter(({ measure }) => measure === 'memory').at(-1);
  return verdicts.filter(
    (verdict) =>
      verdict.measure === 'perplexity' || verdict === speeds[0] || verdict === speeds.at(-1) || verdict === memory,
  );
}

function VerdictList({ verdicts }: { verdicts: readonly Verdict[] }) {
  return (
    <dl>
      {verdicts.map(({ measure, runtime, batch, winner, text }) => (
        <div key={`${measure} ${runtime} ${batch}`}>
          <dt>
            {measures[measure]}
            {batch !== null && <span className="soft"> batch {batch}</span>}
            <Winner winner={winner} />
          </dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function Winner({ winner }: Pick<Verdict, 'winner'>) {
  if (winner === null) return null;
  return <span className={`badge side side-${winner}`}>{winner === 'mixed' ? 'both' : winner}</span>;
}
