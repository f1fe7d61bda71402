/** @file Chart of the share of right answers of each variant, with its standard error. */
import { ReferenceLine } from 'recharts';
import { percent } from '../../parts/format';
import { producedBy } from '../../parts/names';
import { BarTexts, VariantBars } from '../variantBars';
import { pointsText, shareText, type TaskBar } from './tasksData';

const ticks = [0, 0.25, 0.5, 0.75, 1];
/** Leaves room for the text to the right of a full bar. */
const end = 1.3;

interface Props {
  bars: readonly TaskBar[];
  /** Share of the original model's right answers; null where it was not asked. */
  base: number | null;
}

export default function TasksChart({ bars, base }: Props) {
  return (
    <VariantBars
      bars={bars}
      length={({ accuracy }) => accuracy}
      whisker={({ standardError }) => standardError}
      end={end}
      ticks={ticks}
      format={percent}
      lines={barLines}
    >
      {base !== null && <ReferenceLine x={base} className="floor-line" />}
      <BarTexts
        bars={bars}
        className="task-texts"
        // In one column, behind the dashed line and every whisker.
        textAt={({ accuracy, standardError }) => Math.max(1, accuracy + standardError)}
        text={shareText}
        remark={({ change }) =>
          change !== null && (
            <tspan className="task-change" dx={8}>
              {pointsText(change)}
            </tspan>
          )
        }
      />
    </VariantBars>
  );
}

function barLines({ kept, change, result }: TaskBar): string[] {
  const right = Math.round(result.accuracy * result.items);
  return [
    `${right} of ${result.items} right: ${shareText(result)}`,
    `by length ${percent(result.accuracyNorm)}`,
    ...(change === null ? [] : [`${pointsText(change)} against the original model`]),
    `${percent(kept)} of the parameters kept`,
    producedBy(result.device),
  ];
}
