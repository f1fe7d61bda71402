/** @file The chosen criterion's scores as a table, with device, tokens and time. */
import { MeasuredLine } from '../corpora/measuredLine';
import { Disclosure } from '../parts/disclosure';
import { covers, ranksOf } from '../strip/ranks';
import type { Ranked } from '../strip/useStrip';

export function ScoresTable({ ranked }: { ranked: Ranked }) {
  const { label, scores, order, format, mode } = ranked;
  const ranks = ranksOf(order);
  return (
    <Disclosure summary={`${label}: all scores as a table`}>
      <MeasuredLine {...scores} />
      <div className="table-scroll">
        <table className="table slim">
          <thead>
            <tr>
              <th scope="col">removed</th>
              <th scope="col">{label.toLowerCase()}</th>
              <th scope="col">rank</th>
            </tr>
          </thead>
          <tbody>
            {scores.scores.map((score, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a unit is its index
              <tr key={index}>
                <th scope="row">{covers(index, scores.window, mode)}</th>
                <td>{format(score)}</td>
                <td>{ranks.get(index) ?? 'protected'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Disclosure>
  );
}
