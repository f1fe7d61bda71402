/** @file The line that says how scores were measured: device, tokens, time and GPU memory. */
import type { Scores } from '../../report/scores';
import { bytes, integer, milliseconds } from '../parts/format';
import { producedBy } from '../parts/names';
import { SoftwareBadge } from '../parts/softwareBadge';
import { useLab } from '../parts/useLab';
import { calibrationLine, provenance } from './describe';

type Measured = Pick<Scores, 'calibration' | 'device' | 'milliseconds' | 'peakGpuBytes'>;

export function MeasuredLine({ calibration, device, milliseconds: time, peakGpuBytes }: Measured) {
  const corpora = useLab((state) => state.corpora);
  return (
    <p className="foot">
      {producedBy(device)} · {integer(calibration.tokens)} tokens
      {calibration.tokens > 0 && `: ${calibrationLine(calibration, corpora)} (${provenance(calibration)})`} ·{' '}
      {milliseconds(time)}
      {peakGpuBytes > 0 && ` · peak GPU memory ${bytes(peakGpuBytes)}`} {device.software && <SoftwareBadge />}
    </p>
  );
}
