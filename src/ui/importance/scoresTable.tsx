/** @file The chosen criterion's scores as a table, with device, tokens and time. */
import { calibrationLine, provenance } from '../corpora/describe';
import { Disclosure } from '../parts/disclosure';
import { bytes, integer, milliseconds } from '../parts/format';
import { producedBy } from '../parts/names';
import { SoftwareBadge } from '../parts/softwareBadge';
import { useLab } from '../parts/useLab';
import { covers, ranksOf } from '../strip/ranks';
import type { Ranked } from '../strip/useStrip';

export function ScoresTable({ ranked }: { ranked: Ranked }) {
  const { label, scores, order, format, mode } = ranked;
  const { calibration, device } = scores;
  const ranks = ranksOf(order);
  const corpora = useLab((state) => state.corpora);
  return (
    <Disclosure summary={`${label}: all scores as a table`}>
      <p className="foot">
        {producedBy(device)} · {integer(calibration.tokens)} tokens
        {calibration.tokens > 0 && `: ${calibrationLine(calibration, corpora)} (${provenance(calibration)})`} ·{' '}
        {milliseconds(scores.milliseconds)}
        {scores.peakGpuBytes > 0 && ` · peak GPU memory ${bytes(scores.peakGpuBytes)}`}{' '}
        {device.software && <SoftwareBadge />}
      </p>
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
