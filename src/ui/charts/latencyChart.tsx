/** @file Chart of latency per variant with its standard deviation. */
import type { SpeedUp } from '../../report/results';
import { milliseconds, millisecondsTick } from '../parts/format';
import { producedBy } from '../parts/names';
import { speedUpStory, speedUpText } from '../parts/speedUp';
import type { LatencyBar } from './latencyData';
import { linearAxis } from './ticks';
import { BarTexts, VariantBars } from './variantBars';

const whiskerEnd = ({ latencyMs, spread }: LatencyBar): number => latencyMs + spread;

export default function LatencyChart({ bars }: { bars: readonly LatencyBar[] }) {
  const ends = bars.map(whiskerEnd);
  return (
    <VariantBars
      bars={bars}
      length={({ latencyMs }) => latencyMs}
      whisker={({ spread }) => spread}
      // Leaves room for the text to the right of the longest bar.
      end={Math.max(...ends) * 1.6}
      ticks={linearAxis(ends).ticks}
      format={millisecondsTick}
      lines={barLines}
    >
      <BarTexts
        bars={bars}
        textAt={whiskerEnd}
        text={({ latencyMs }) => milliseconds(latencyMs)}
        remark={({ speedUp }) => speedUp && <SpeedUpWords speedUp={speedUp} />}
      />
    </VariantBars>
  );
}

function barLines({ result, speedUp }: LatencyBar): string[] {
  return [
    `${milliseconds(result.latencyMs)} ± ${milliseconds(result.spread)}, median of ${result.runs}`,
    `prefill of ${result.promptTokens} tokens ${milliseconds(result.prefillMs)}`,
    `decode ${milliseconds(result.decodeMsPerToken)} per token, ${result.newTokens} tokens`,
    ...(speedUp ? [`speed-up ${speedUpStory(speedUp)}`] : []),
    producedBy(result.device),
  ];
}

function SpeedUpWords({ speedUp }: { speedUp: SpeedUp }) {
  const { value, interval, verdict } = speedUpText(speedUp);
  return (
    <tspan className={`speed-up ${verdict}`} dx={8}>
      {value} ({interval})
    </tspan>
  );
}
