/**
 * @file All numbers of a record as CSV (RFC 4180: commas, CRLF, quotes doubled), in full precision. One row per variant and
 * measurement: 'size', 'perplexity', 'latency', 'task'; one row per point of a training's curves: 'training-loss', 'training-held-out'; one row per unit and criterion: 'score', 'head-score'; one row per step of a
 * search: 'search-step', 'generation'. Scores of single neurons are too many for a spreadsheet: the record's JSON has them.
 */
import { removedWords } from './planWords';
import type { ModelRecord } from './record';
import type { ComparisonRow, LatencyResult, PerplexityResult, TaskResult } from './results';
import type { Scores, WidthScores } from './scores';
import type { EvolutionResult, SearchResult } from './searches';

/** The columns in their order. A name never changes its meaning; new ones are added at the end. */
export const csvColumns = [
  ...['model', 'revision', 'created', 'measurement', 'variant', 'name', 'made_from', 'removed'],
  ...['parameters', 'removed_share', 'blocks', 'patch_bytes'],
  ...['criterion', 'unit', 'index', 'layer', 'score', 'kl_nats_per_token'],
  ...['perplexity', 'mean_nll', 'tokens', 'text', 'text_hash'],
  ...['batch', 'prompt_tokens', 'new_tokens', 'runs', 'warmups', 'prefill_ms', 'decode_ms_per_token', 'latency_ms'],
  ...['latency_sd_ms', 'throughput_tokens_per_s', 'peak_bytes'],
  ...['speed_up', 'speed_up_low', 'speed_up_high', 'speed_up_against', 'speed_up_pairs'],
  ...['decode_speed_up', 'decode_speed_up_low', 'decode_speed_up_high'],
  ...['runtime', 'precision', 'adapter', 'software_adapter', 'measured_in_ms'],
  ...['training_method', 'training_step', 'training_loss'],
  ...['task', 'items', 'items_hash', 'accuracy', 'accuracy_norm', 'accuracy_standard_error'],
] as const;

type Column = (typeof csvColumns)[number];
type Cells = Partial<Record<Column, string | number | boolean | null>>;

export function recordCsv(record: ModelRecord): string {
  const { model, created, comparison, scores, widthScores, searches, evolution } = record;
  const common: Cells = { model: model.id, revision: model.revision, created };
  const rows: Cells[] = [
    ...comparison.flatMap((row) => variantRows(row, record)),
    ...scores.flatMap(scoreRows),
    ...widthScores.flatMap(headRows),
    ...Object.entries(searches).flatMap(([criterion, found]) => (found ? searchRows(criterion, found) : [])),
    ...(evolution ? generationRows(evolution) : []),
  ];
  const lines = rows.map((row) => csvColumns.map((column) => cell({ ...common, ...row }[column])));
  return [csvColumns, ...lines].map((line) => `${line.join(',')}\r\n`).join('');
}

function variantRows(row: ComparisonRow, { model }: ModelRecord): Cells[] {
  const of: Cells = { variant: row.variant, name: row.name };
  const size: Cells = {
    ...of,
    measurement: 'size',
    made_from: row.parent,
    removed: removedWords(row.plan, model.shape),
    parameters: row.parameters,
    removed_share: row.ratio,
    blocks: row.layers,
    patch_bytes: row.patchBytes,
  };
  const scored = Object.values(row.perplexity).map((result) => ({ ...of, ...perplexityCells(result) }));
  const timed = row.latency.map((result) => ({ ...of, ...latencyCells(result) }));
  const asked = (row.tasks ?? []).map((result) => ({ ...of, ...taskCells(result) }));
  return [size, ...scored, ...timed, ...asked, ...trainingCells(row).map((cells) => ({ ...of, ...cells }))];
}

function trainingCells({ training, recipe }: ComparisonRow): Cells[] {
  if (training === undefined) return [];
  const step = recipe.findLast(({ kind }) => kind === 'retrain');
  const method = step?.kind === 'retrain' ? step.method : null;
  const { losses, evaluations, heldOut } = training;
  return [
    ...losses.map(({ step: index, loss }) => ({
      ...{ measurement: 'training-loss', training_method: method, training_step: index, training_loss: loss },
    })),
    ...evaluations.map(({ step: index, perplexity }) => ({
      ...{ measurement: 'training-held-out', training_method: method, training_step: index, perplexity },
      ...(heldOut && { text: heldOut.corpus, text_hash: heldOut.hash }),
    })),
  ];
}

function perplexityCells(result: PerplexityResult): Cells {
  const { perplexity, meanNll, tokens, text, milliseconds } = result;
  return {
    measurement: 'perplexity',
    ...{ perplexity, mean_nll: meanNll, tokens, text: text.corpus, text_hash: text.hash, measured_in_ms: milliseconds },
    ...ranBy(result),
  };
}

function latencyCells(result: LatencyResult): Cells {
  const { batch, promptTokens, newTokens, runs, warmups, speedUp } = result;
  return {
    measurement: 'latency',
    ...{ batch, prompt_tokens: promptTokens, new_tokens: newTokens, runs, warmups },
    ...{ prefill_ms: result.prefillMs, decode_ms_per_token: result.decodeMsPerToken, latency_ms: result.latencyMs },
    ...{ latency_sd_ms: result.spread, throughput_tokens_per_s: result.throughput, peak_bytes: result.peakBytes },
    ...(speedUp && {
      ...{ speed_up: speedUp.ratio, speed_up_low: speedUp.low, speed_up_high: speedUp.high },
      ...{ speed_up_against: speedUp.against, speed_up_pairs: speedUp.pairs },
    }),
    ...(speedUp?.decode && {
      decode_speed_up: speedUp.decode.ratio,
      decode_speed_up_low: speedUp.decode.low,
      decode_speed_up_high: speedUp.decode.high,
    }),
    ...ranBy(result),
  };
}

function taskCells(result: TaskResult): Cells {
  const { task, items, hash, accuracy, accuracyNorm, standardError, milliseconds, device } = result;
  return {
    measurement: 'task',
    ...{ task, items, items_hash: hash, accuracy, accuracy_norm: accuracyNorm, accuracy_standard_error: standardError },
    ...{ runtime: device.runtime, adapter: device.adapter, software_adapter: device.software },
    measured_in_ms: milliseconds,
  };
}

/** What ran, and where. */
function ranBy({ runtime, precision, device }: PerplexityResult | LatencyResult): Cells {
  return { runtime, precision: precision ?? null, adapter: device.adapter, software_adapter: device.software };
}

function scoreRows({ criterion, unit, scores, calibration, options, device, milliseconds }: Scores): Cells[] {
  return scores.map((score, index) => ({
    measurement: 'score',
    ...{ variant: options?.of ?? 'base', criterion, unit, index, score },
    ...{ tokens: calibration.tokens, text: calibration.corpus, text_hash: calibration.hash },
    ...{ runtime: device.runtime, adapter: device.adapter, software_adapter: device.software },
    measured_in_ms: milliseconds,
  }));
}

function headRows({ method, heads, headUnit, calibration, device, milliseconds }: WidthScores): Cells[] {
  return heads.flatMap((scores, layer) =>
    scores.map((score, index) => ({
      measurement: 'head-score',
      ...{ variant: 'base', criterion: method, unit: headUnit, index, layer, score },
      ...{ tokens: calibration.tokens, text: calibration.corpus, text_hash: calibration.hash },
      ...{ runtime: device.runtime, adapter: device.adapter, software_adapter: device.software },
      measured_in_ms: milliseconds,
    })),
  );
}

function searchRows(criterion: string, { steps, calibration, device }: SearchResult): Cells[] {
  return steps.map(({ layer, part, perplexity }, index) => ({
    measurement: 'search-step',
    ...{ criterion, unit: part, index, layer, perplexity },
    ...(calibration && { tokens: calibration.tokens, text: calibration.corpus, text_hash: calibration.hash }),
    ...{ runtime: device.runtime, adapter: device.adapter, software_adapter: device.software },
  }));
}

function generationRows({ trace, asked, calibration, device }: EvolutionResult): Cells[] {
  return trace.map(({ generation, kl }) => ({
    measurement: 'generation',
    ...{ criterion: 'evopress', unit: asked.unit, index: generation, kl_nats_per_token: kl },
    ...(calibration && { tokens: calibration.tokens, text: calibration.corpus, text_hash: calibration.hash }),
    ...{ runtime: device.runtime, adapter: device.adapter, software_adapter: device.software },
  }));
}

/** Beginnings of a text that spreadsheets run as a formula, their full-width forms included. */
const formula = /^\s*[=+\-@\t\r＝＋－＠]/;

/** A cell: numbers in as many digits as tell them from all others; a text that begins like a formula after an apostrophe. */
function cell(value: Cells[Column]): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') return String(value);
  const safe = formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
