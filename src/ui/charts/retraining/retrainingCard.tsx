/** @file Card that compares the ways of retraining; shown once a trained variant has a perplexity. */
import { SoftwareBadge } from '../../parts/softwareBadge';
import { ChartFrame } from '../frame/chartFrame';
import { LazyRetrainingChart } from '../lazy';
import { retrainedTable } from './retrainingData';
import { useRetraining } from './useRetraining';

export function RetrainingCard() {
  const shown = useRetraining();
  if (!shown) return null;
  const { groups, columns, shape, base, scored, note, verdict, legend } = shown;
  const title = 'Retraining: what each way wins back';
  return (
    <section className="card retraining-card" aria-labelledby="retraining-title">
      <h2 id="retraining-title">{title}</h2>
      <p className="sub">{note}. A stem is as long as the loss that is left.</p>
      {verdict !== null && <p className="verdict">{verdict}</p>}
      <ChartFrame
        title={title}
        name="retraining"
        note={verdict === null ? note : `${verdict} ${note}`}
        legend={legend}
        table={retrainedTable(groups, shape, base)}
        below={
          scored.device.software && (
            <p className="hint">
              The minutes in the table: <SoftwareBadge />
            </p>
          )
        }
      >
        <LazyRetrainingChart columns={columns} base={base} />
      </ChartFrame>
    </section>
  );
}
