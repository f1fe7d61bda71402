/** @file The rows of one variant in the comparison's table: one per runtime and precision that timed it. */
import { precisionLabel } from '../../benchmark/precisionNames';
import { commands } from '../../lab/page/app';
import { hasOwnWeights } from '../../lab/page/shownVariant';
import type { LatencyResult, PerplexityResult, Runtime } from '../../report/results';
import { Mark } from '../charts/compare/mark';
import { provenance } from '../corpora/describe';
import { evaluatedText } from '../now/current';
import { ConfirmButton } from '../parts/confirmButton';
import { bytes, integer, milliseconds, percent, perplexity, quantity, rate, significant } from '../parts/format';
import { Icon } from '../parts/icons';
import { ownWeightsText, producedBy } from '../parts/names';
import { useReadOnly } from '../parts/readOnly';
import { noDifference, overBase, speedUpStory, speedUpText } from '../parts/speedUp';
import { useLab } from '../parts/useLab';
import { isBelow, kindNames, perplexityBefore, type TableRow } from './tableData';
import { TaskCell } from './taskCell';

export const shortRuntime: Readonly<Record<Runtime, string>> = {
  wgsl: 'WGSL',
  'ort-wasm': 'wasm',
  'ort-webgpu': 'WebGPU',
};

interface Props {
  entry: TableRow;
  /** Rows among which a repaired variant stands below the one that it repairs. */
  rows: readonly TableRow[];
  scored: readonly Runtime[];
  /** Whether the table has columns for times. */
  timed: boolean;
  /** Whether the table has a column for repairs. */
  repaired: boolean;
  /** Whether the table has a column for multiple-choice tasks. */
  asked: boolean;
  now: boolean;
}

export function VariantRows({ entry, rows, scored, timed: withTimes, repaired, asked, now }: Props) {
  const { row, kind, before, repair, removed, cache } = entry;
  const timed: readonly (LatencyResult | null)[] = entry.timed.length > 0 ? entry.timed : [null];
  const span = timed.length;
  const name = kind === 'base' ? 'original model' : row.name;
  const text = useLab(evaluatedText);
  const readOnly = useReadOnly();
  return timed.map((latency, index) => (
    <tr
      key={latency ? `${latency.runtime} ${latency.batch} ${latency.precision}` : 'untimed'}
      className={now ? 'now-row' : undefined}
    >
      {index === 0 && (
        <>
          <th scope="row" rowSpan={span} className={isBelow(entry, rows) ? 'below' : undefined}>
            <svg className="row-mark" width={16} height={14} viewBox="3 0 16 14" aria-hidden="true">
              <Mark kind={kind} filled x={11} y={7} />
            </svg>
            {name}
            {now && <span className="badge now-badge">now</span>}
            {before && <div className="soft cell-note">repairs {before.name}</div>}
            {hasOwnWeights(row) && row.patchBytes > 0 && <div className="soft cell-note">{ownWeightsText(row)}</div>}
          </th>
          <td rowSpan={span} data-label="kind">
            {kindNames[kind]}
          </td>
          {repaired && (
            <td rowSpan={span} className="words" data-label="repair">
              {repair}
            </td>
          )}
          <td rowSpan={span} className="words" data-label="removed">
            {removed}
          </td>
          <td rowSpan={span} data-label="kept" title={`${integer(row.parameters)} parameters`}>
            {percent(1 - row.ratio)} <div className="soft cell-note">{quantity(row.parameters)}</div>
          </td>
          <td rowSpan={span} data-label="KV cache">
            {cache === null ? '–' : bytes(cache)}
          </td>
          {scored.length === 0 && (
            <td rowSpan={span} data-label="perplexity">
              –
            </td>
          )}
          {scored.map((runtime) => {
            const result = row.perplexity[runtime];
            return (
              <td
                key={runtime}
                rowSpan={span}
                data-label={`perplexity ${shortRuntime[runtime]}`}
                title={
                  result && `${producedBy(result.device)}, ${integer(result.tokens)} tokens: ${provenance(result.text)}`
                }
              >
                {result ? <Perplexity result={result} before={perplexityBefore(before, result)} text={text} /> : '–'}
              </td>
            );
          })}
          {asked && <TaskCell results={row.tasks ?? []} span={span} />}
        </>
      )}
      {withTimes && <SpeedCells latency={latency} />}
      {index === 0 && !readOnly && (
        <td rowSpan={span} className="actions">
          {!now && !row.patchLost && (
            <button
              type="button"
              className="button small quiet"
              aria-label={`Show ${kind === 'base' ? 'the original model' : row.name} in the plan`}
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
            aria-label={`Export ${kind === 'base' ? 'the original model' : row.name}`}
            title="Export: files for transformers, transformers.js, llama.cpp, ONNX Runtime and others"
            onClick={() => {
              commands.chooseExport({ variant: row.variant });
              document.getElementById('export')?.focus();
            }}
          >
            <Icon name="download" />
          </button>
          {kind !== 'base' && (
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

interface PerplexityProps {
  result: PerplexityResult;
  /** That of the variant before its repair. */
  before: PerplexityResult | null;
  text: string | null;
}

/** A perplexity; marked if it was measured on other tokens, because it cannot be compared with the others. */
function Perplexity({ result, before, text }: PerplexityProps) {
  const value = perplexity(result.perplexity);
  const isOther = text !== null && result.text.hash !== text;
  return (
    <>
      {before && (
        <span className="soft" title="before the repair → after it">
          {perplexity(before.perplexity)} →{' '}
        </span>
      )}
      {isOther ? (
        <span className="soft">
          {value}
          <sup>†</sup>
          <span className="sr-only"> on another text</span>
        </span>
      ) : (
        value
      )}
    </>
  );
}

function SpeedCells({ latency }: { latency: LatencyResult | null }) {
  if (!latency)
    return ['timed by', 'decode/token', 'latency', 'speed-up', 'tok/s'].map((name) => (
      <td key={name} data-label={name}>
        –
      </td>
    ));
  return (
    <>
      <td data-label="timed by" title={producedBy(latency.device)}>
        {shortRuntime[latency.runtime]}
        {precisionLabel[latency.precision ?? 'f32']}
        {latency.batch > 1 && ` × ${latency.batch}`}
        {latency.device.software && ' *'}
      </td>
      <td data-label="decode/token">
        {milliseconds(latency.decodeMsPerToken)}
        <div className="soft cell-note">prefill {milliseconds(latency.prefillMs)}</div>
      </td>
      <td data-label="latency ± sd">
        {milliseconds(latency.latencyMs)} <span className="soft">± {significant(latency.spread)}</span>
      </td>
      <SpeedUpCell latency={latency} />
      <td data-label="tok/s">{rate(latency.throughput)}</td>
    </>
  );
}

/** Only variants that were timed together with the base have a speed-up. */
function SpeedUpCell({ latency }: { latency: LatencyResult }) {
  const speedUp = overBase(latency);
  if (!speedUp) {
    return (
      <td data-label="speed-up" title="Not timed together with the original model: benchmark the variant again">
        –
      </td>
    );
  }
  const { value, interval, verdict } = speedUpText(speedUp);
  return (
    <td data-label="speed-up" title={speedUpStory(speedUp)}>
      <span className={verdict === 'faster' ? 'better' : undefined}>{value}</span>
      {!speedUp.inTurns && <sup>‡</sup>}
      <div className="soft cell-note">{interval}</div>
      {verdict === 'open' && <div className="soft cell-note">{noDifference}</div>}
    </td>
  );
}
