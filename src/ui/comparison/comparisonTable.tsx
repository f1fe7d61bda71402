/** @file All variants with everything measured about them: one row per variant and runtime. */
import { precisionLabel } from '../../benchmark/precisionNames';
import { commands } from '../../lab/page/app';
import { hasOwnWeights, shownVariant } from '../../lab/page/shownVariant';
import type { ComparisonRow, LatencyResult, PerplexityResult, Runtime } from '../../report/results';
import { corpusTitle, evaluationLine, provenance } from '../corpora/describe';
import { evaluatedText } from '../now/current';
import { ConfirmButton } from '../parts/confirmButton';
import { FailureNote } from '../parts/failureNote';
import { integer, milliseconds, percent, perplexity, quantity, rate, significant } from '../parts/format';
import { Icon } from '../parts/icons';
import { ownWeightsText, planText, producedBy, removedCount, runtimeNames } from '../parts/names';
import { SoftwareBadge } from '../parts/softwareBadge';
import { noDifference, overBase, speedUpStory, speedUpText } from '../parts/speedUp';
import { useLab, useTask } from '../parts/useLab';

const runtimes: readonly Runtime[] = ['wgsl', 'ort-wasm', 'ort-webgpu'];
const shortRuntime: Readonly<Record<Runtime, string>> = { wgsl: 'WGSL', 'ort-wasm': 'wasm', 'ort-webgpu': 'WebGPU' };

export function ComparisonStage() {
  const comparison = useLab((state) => state.comparison);
  const saving = useTask('export');
  const variants = comparison.filter(({ variant }) => variant !== 'base');
  const rows = [...comparison.filter(({ variant }) => variant === 'base'), ...variants];
  return (
    <section className="card comparison" id="comparison" aria-labelledby="comparison-title" tabIndex={-1}>
      <div className="bar">
        <h2 id="comparison-title">Comparison</h2>
        {variants.length > 0 && <span className="bar-note">{variants.length + 1} models</span>}
      </div>
      {rows.length > 0 && <ComparisonTable rows={rows} />}
      {saving.phase === 'failed' && <FailureNote title="The files could not be made" failure={saving.failure} />}
      {variants.length === 0 && (
        <p className="quiet-line">
          No variant yet. <a href="#blocks">Cut a block</a>, then press “Benchmark this variant”: it gets a row here
          below the original model.
        </p>
      )}
      {rows.length > 0 && <Protocol rows={rows} />}
    </section>
  );
}

function ComparisonTable({ rows }: { rows: readonly ComparisonRow[] }) {
  const current = useLab(shownVariant);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable from the keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Comparison, scrolls sideways">
      <table className="table">
        <thead>
          <tr>
            <th scope="col" rowSpan={2}>
              variant
            </th>
            <th scope="col" rowSpan={2}>
              removed
            </th>
            <th scope="col" rowSpan={2}>
              kept
            </th>
            <th scope="col" rowSpan={2}>
              parameters
            </th>
            <th scope="colgroup" colSpan={3} className="group">
              perplexity
            </th>
            <th scope="colgroup" colSpan={6} className="group">
              speed
            </th>
            <th scope="col" rowSpan={2}>
              <span className="sr-only">actions</span>
            </th>
          </tr>
          <tr>
            {runtimes.map((runtime) => (
              <th scope="col" key={runtime} title={runtimeNames[runtime]}>
                {shortRuntime[runtime]}
              </th>
            ))}
            <th scope="col">timed by</th>
            <th scope="col">prefill</th>
            <th scope="col">decode/token</th>
            <th scope="col">latency ± sd</th>
            <th scope="col">speed-up</th>
            <th scope="col" title="throughput: new tokens per second">
              tok/s
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <VariantRows key={row.variant} row={row} now={row.variant === current} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function VariantRows({ row, now }: { row: ComparisonRow; now: boolean }) {
  const timed: readonly (LatencyResult | null)[] = row.latency.length > 0 ? row.latency : [null];
  const span = timed.length;
  const whole = row.variant === 'base';
  const text = useLab(evaluatedText);
  const shape = useLab((state) => state.model?.shape);
  return timed.map((latency, index) => (
    <tr
      key={latency ? `${latency.runtime} ${latency.batch} ${latency.precision}` : 'untimed'}
      className={now ? 'now-row' : undefined}
    >
      {index === 0 && (
        <>
          <th scope="row" rowSpan={span}>
            <i className={`key ${whole ? 'base' : 'depth'}`} /> {whole ? 'original model' : row.name}
            {now && <span className="badge now-badge">now</span>}
            {hasOwnWeights(row) && <div className="soft cell-note">{ownWeightsText(row)}</div>}
          </th>
          <td rowSpan={span} title={planText(row.plan, shape)}>
            {removedCount(row.plan, shape)}
          </td>
          <td rowSpan={span}>{percent(1 - row.ratio)}</td>
          <td rowSpan={span} title={integer(row.parameters)}>
            {quantity(row.parameters)}
          </td>
          {runtimes.map((runtime) => {
            const result = row.perplexity[runtime];
            return (
              <td
                key={runtime}
                rowSpan={span}
                title={
                  result && `${producedBy(result.device)}, ${integer(result.tokens)} tokens: ${provenance(result.text)}`
                }
              >
                {result ? <Perplexity result={result} text={text} /> : '–'}
              </td>
            );
          })}
        </>
      )}
      <SpeedCells latency={latency} />
      {index === 0 && (
        <td rowSpan={span} className="actions">
          {!now && !row.patchLost && (
            <button
              type="button"
              className="button small quiet"
              aria-label={`Show ${whole ? 'the original model' : row.name} in the plan`}
              title="Show in the plan: the blocks, the live perplexity and the text become those of this variant"
              onClick={() => commands.showVariant(row.variant)}
            >
              Show
            </button>
          )}
          <button
            type="button"
            className="button small quiet"
            disabled={row.patchLost === true}
            aria-label={`Download ${whole ? 'the original model' : row.name} as ONNX`}
            title="Download as ONNX: the benchmarked graph and its weights"
            onClick={() => void commands.downloadVariant(row.variant)}
          >
            <Icon name="download" />
          </button>
          {row.variant !== 'base' && (
            <ConfirmButton
              label={<Icon name="close" />}
              description={`Discard ${row.name}`}
              confirm="Discard"
              onConfirm={() => void commands.discardVariant(row.variant)}
            />
          )}
        </td>
      )}
    </tr>
  ));
}

/** A perplexity; marked if it was measured on other tokens, because it cannot be compared with the others. */
function Perplexity({ result, text }: { result: PerplexityResult; text: string | null }) {
  const value = perplexity(result.perplexity);
  if (text === null || result.text.hash === text) return value;
  return (
    <span className="soft">
      {value}
      <sup>†</sup>
      <span className="sr-only"> on another text</span>
    </span>
  );
}

function SpeedCells({ latency }: { latency: LatencyResult | null }) {
  if (!latency)
    return ['timed', 'prefill', 'decode', 'latency', 'speed-up', 'throughput'].map((name) => <td key={name}>–</td>);
  return (
    <>
      <td title={producedBy(latency.device)}>
        {shortRuntime[latency.runtime]}
        {precisionLabel[latency.precision ?? 'f32']}
        {latency.batch > 1 && ` × ${latency.batch}`}
        {latency.device.software && ' *'}
      </td>
      <td>{milliseconds(latency.prefillMs)}</td>
      <td>{milliseconds(latency.decodeMsPerToken)}</td>
      <td>
        {milliseconds(latency.latencyMs)} <span className="soft">± {significant(latency.spread)}</span>
      </td>
      <SpeedUpCell latency={latency} />
      <td>{rate(latency.throughput)}</td>
    </>
  );
}

/** Only variants that were timed together with the base have a speed-up. */
function SpeedUpCell({ latency }: { latency: LatencyResult }) {
  const speedUp = overBase(latency);
  if (!speedUp) return <td title="Not timed together with the original model: benchmark the variant again">–</td>;
  const { value, interval, verdict } = speedUpText(speedUp);
  return (
    <td title={speedUpStory(speedUp)}>
      <span className={verdict === 'faster' ? 'better' : undefined}>{value}</span>{' '}
      <span className="soft">({interval})</span>
      {!speedUp.inTurns && <sup>‡</sup>}
      {verdict === 'open' && <div className="soft cell-note">{noDifference}</div>}
    </td>
  );
}

/** Explains the table's numbers: tokens, runs, devices. */
function Protocol({ rows }: { rows: readonly ComparisonRow[] }) {
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
