/** @file What the numbers of the comparison's table were measured on: tokens, runs, devices. */
import type { ComparisonRow } from '../../report/results';
import { corpusTitle, evaluationLine, provenance } from '../corpora/describe';
import { evaluatedText } from '../now/current';
import { integer } from '../parts/format';
import { producedBy } from '../parts/names';
import { useReadOnly } from '../parts/readOnly';
import { SoftwareBadge } from '../parts/softwareBadge';
import { overBase } from '../parts/speedUp';
import { useLab } from '../parts/useLab';

/** Explains the table's numbers: tokens, runs, devices. */
export function Protocol({ rows }: { rows: readonly ComparisonRow[] }) {
  const timed = rows.flatMap((row) => row.latency);
  const scored = rows.flatMap((row) => Object.values(row.perplexity));
  const devices = [...new Set([...scored, ...timed].map(({ device }) => producedBy(device)))];
  const first = timed[0];
  const paired = timed.some((result) => overBase(result));
  const corpora = useLab((state) => state.corpora);
  const text = useLab(evaluatedText);
  const same = scored.find((result) => result.text.hash === text);
  return (
    <p className="foot">
      {same &&
        `Perplexity on ${integer(same.tokens)} held-out tokens: ${evaluationLine(same.text, corpora)} (${provenance(same.text)}). `}
      {first &&
        `Times: ${first.promptTokens} prompt + ${first.newTokens} new tokens, batch 1 unless ×, median of ${first.runs} runs after ${first.warmups} warm-ups, ± standard deviation of the latency. `}
      {paired && 'Speed-up over the original model: mean ratio of paired, alternating runs (95 % interval). '}
      {devices.length > 0 && `Measured by ${devices.join('; ')}. `}
      <Marks rows={rows} />
    </p>
  );
}

/** What the table's marks †, ‡ and * mean, where it has some. */
export function TableNotes({ rows }: { rows: readonly ComparisonRow[] }) {
  return (
    <p className="foot">
      <Marks rows={rows} />
    </p>
  );
}

function Marks({ rows }: { rows: readonly ComparisonRow[] }) {
  const timed = rows.flatMap((row) => row.latency);
  const text = useLab(evaluatedText);
  const corpora = useLab((state) => state.corpora);
  const readOnly = useReadOnly();
  const scored = rows.flatMap((row) => Object.values(row.perplexity));
  const others = scored.filter((result) => text !== null && result.text.hash !== text);
  const titles = [...new Set(others.map((result) => corpusTitle(result.text.corpus, corpora)))].join('; ');
  const remedy = readOnly ? 'not to be compared with the others' : 'benchmark the variant again to compare';
  return (
    <>
      {others.length > 0 && `† On other tokens (${titles}): ${remedy}. `}
      {timed.some((result) => overBase(result)?.inTurns === false) &&
        '‡ Memory was too small for both: the original model was timed before and after the variant. '}
      {timed.some(({ device }) => device.software) && (
        <>
          * <SoftwareBadge />
        </>
      )}
    </>
  );
}
