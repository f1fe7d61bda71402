/** @file What the numbers of the comparison's table were measured on: tokens, runs, devices. */
import type { ComparisonRow } from '../../report/results';
import { corpusTitle, evaluationLine, provenance } from '../corpora/describe';
import { evaluatedText } from '../now/current';
import { integer } from '../parts/format';
import { producedBy } from '../parts/names';
import { SoftwareBadge } from '../parts/softwareBadge';
import { overBase } from '../parts/speedUp';
import { useLab } from '../parts/useLab';

/** Explains the table's numbers: tokens, runs, devices. */
export function Protocol({ rows }: { rows: readonly ComparisonRow[] }) {
  const timed = rows.flatMap((row) => row.latency);
  const scored = rows.flatMap((row) => Object.values(row.perplexity));
  const devices = [...new Set([...scored, ...timed].map(({ device }) => producedBy(device)))];
  const software = timed.some(({ device }) => device.software);
  const first = timed[0];
  const paired = timed.flatMap((result) => overBase(result) ?? []);
  const corpora = useLab((state) => state.corpora);
  const text = useLab(evaluatedText);
  const same = scored.find((result) => result.text.hash === text);
  const others = scored.filter((result) => text !== null && result.text.hash !== text);
  const otherTitles = [...new Set(others.map((result) => corpusTitle(result.text.corpus, corpora)))];
  return (
    <p className="foot">
      {same &&
        `Perplexity on ${integer(same.tokens)} held-out tokens: ${evaluationLine(same.text, corpora)} (${provenance(same.text)}). `}
      {others.length > 0 && `† On other tokens (${otherTitles.join('; ')}): benchmark the variant again to compare. `}
      {first &&
        `Times: ${first.promptTokens} prompt + ${first.newTokens} new tokens, batch 1 unless ×, median of ${first.runs} runs after ${first.warmups} warm-ups, ± standard deviation of the latency. `}
      {paired.length > 0 &&
        'Speed-up over the original model: mean ratio of paired, alternating runs (95 % interval). '}
      {paired.some(({ inTurns }) => !inTurns) &&
        '‡ Memory was too small for both: the original model was timed before and after the variant. '}
      {devices.length > 0 && `Measured by ${devices.join('; ')}. `}
      {software && (
        <>
          * <SoftwareBadge />
        </>
      )}
    </p>
  );
}
