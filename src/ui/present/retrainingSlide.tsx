/** @file The slide with the ways of retraining: what each wins back of what pruning lost. */
import { ChartLegend } from '../charts/frame/legend';
import { LazyRetrainingChart } from '../charts/lazy';
import { useRetraining } from '../charts/retraining/useRetraining';
import { Enlarged, SlideFrame } from './frame';

export function RetrainingSlide() {
  const shown = useRetraining();
  if (!shown) return null;
  const { columns, base, note, verdict, legend } = shown;
  return (
    <SlideFrame title="What does training win back?" note={`${note}. A stem is as long as the loss that is left.`}>
      {verdict !== null && <p className="lead">{verdict}</p>}
      <Enlarged draw={() => <LazyRetrainingChart columns={columns} base={base} />} />
      <ChartLegend items={legend} />
    </SlideFrame>
  );
}
