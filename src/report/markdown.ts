/** @file A record as a Markdown report that reads well on GitHub. Texts of the author and names from files stay text. Pure. */
import { labelOf } from '../importance/methods';
import { trainingSentence } from '../pruning/trainingWords';
import { markdownLine, markdownLines, markdownTable } from './markdownText';
import { removedWords } from './planWords';
import type { ModelRecord } from './record';
import type { ComparisonRow, LatencyResult, PerplexityResult } from './results';
import type { Scores } from './scores';
import { type AskedRow, taskGroups } from './taskGroups';
import { spacedPoints } from './trainingCurves';
import { verdictsOf } from './verdict';

interface Options {
  /** Address under which a browser opens the report. */
  readonly link?: string;
}

export function recordMarkdown(record: ModelRecord, { link }: Options = {}): string {
  const { title, notes } = record;
  const parts = [
    `# ${title?.trim() ? markdownLine(title) : `Pruning ${markdownLine(modelName(record))}`}`,
    notes?.trim() ? markdownLines(notes) : '',
    link ? `[Open the report](${linkTarget(link)})` : '',
    section('Model', modelTable(record)),
    section('Variants', variantTable(record)),
    section('Tasks', taskTable(record.comparison)),
    section('Retraining', trainingTable(record.comparison)),
    section('Which one wins where', verdictList(record.comparison)),
    ...scoreSections(record),
    section('Protocol', protocol(record)),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

const section = (title: string, body: string): string => (body === '' ? '' : `## ${title}\n\n${body}`);

/** Within '(…)' of a link: spaces, brackets and angles are percent-encoded. */
const linkTarget = (link: string): string =>
  link.replaceAll(/[\s()<>\\]/g, (mark) => `%${mark.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** Of a model from files only the last part of its folder's path. */
const modelName = ({ model }: ModelRecord): string =>
  model.card?.title ?? (isFromFiles(model.id) ? (model.source.split(/[\\/]/).at(-1) ?? '') : model.source);

const isFromFiles = (id: string): boolean => id.startsWith('files:');

/** A rounded number; the record's JSON and CSV have all digits. */
function number(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'not a number';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const text = Math.abs(value) >= 10 ** digits ? String(Math.round(value)) : String(Number(value.toPrecision(digits)));
  return text.replace('-', '−');
}

const percent = (share: number): string => `${number(Math.round(share * 1000) / 10)} %`;

function modelTable(record: ModelRecord): string {
  const { model, device } = record;
  const { layers, hidden, vocab } = model.shape;
  const range = (value: (layer: (typeof layers)[number]) => number): string => {
    const [least, most] = [Math.min(...layers.map(value)), Math.max(...layers.map(value))];
    return least === most ? String(least) : `${least} to ${most}`;
  };
  const rows = [
    ['Model', markdownLine(modelName(record))],
    ['Source', isFromFiles(model.id) ? 'files on the author’s device' : markdownLine(model.source)],
    ['Revision', markdownLine(model.revision)],
    ['Architecture', markdownLine(model.architecture)],
    ['Blocks', String(layers.length)],
    ['Parameters', String(model.parameters)],
    ['Hidden size, vocabulary', `${hidden}, ${vocab}`],
    ['Heads, key/value heads', `${range((layer) => layer.heads)}, ${range((layer) => layer.kvHeads)}`],
    ['MLP neurons', range((layer) => layer.ffn)],
    ['Weights', model.dtype],
    ['Device', device ? deviceWords(device) : 'no WebGPU'],
  ];
  return markdownTable(['', ''], rows);
}

const deviceWords = ({ adapter, software }: { readonly adapter: string; readonly software: boolean }): string =>
  `${markdownLine(adapter)}${software ? ' (software adapter: its times mean nothing)' : ''}`;

/** The perplexity of a row on the tokens of the base's. */
function perplexityOf(row: ComparisonRow, base: PerplexityResult | undefined): PerplexityResult | undefined {
  const results = Object.values(row.perplexity);
  return base ? results.find(({ text }) => text.hash === base.text.hash) : results[0];
}

function variantTable({ comparison, model }: ModelRecord): string {
  if (comparison.length === 0) return '';
  const base = comparison.find(({ variant }) => variant === 'base');
  const scored = base && Object.values(base.perplexity)[0];
  const head = ['Variant', 'removed', 'parameters', 'share removed', 'perplexity', 'latency', 'speed-up (95 %)'];
  const rows = comparison.map((row) => {
    const perplexity = perplexityOf(row, scored);
    const timed = row.latency[0];
    return [
      row.variant === 'base' ? 'original model' : markdownLine(row.name),
      removedWords(row.plan, model.shape) || '–',
      String(row.parameters),
      percent(row.ratio),
      perplexity ? number(perplexity.perplexity) : '–',
      timed ? `${number(timed.latencyMs)} ± ${number(timed.spread, 2)} ms` : '–',
      timed?.speedUp?.against === 'base' ? speedUpWords(timed.speedUp) : '–',
    ];
  });
  return markdownTable(head, rows);
}

/** A line for each variant that was asked something, a column for each task. */
function taskTable(rows: readonly ComparisonRow[]): string {
  const groups = taskGroups(rows);
  if (groups.length === 0) return '';
  const lines = rows.flatMap((row) => {
    const cells = groups.map((group) => {
      const asked = group.rows.find((each) => each.row === row);
      return asked ? taskWords(asked) : '–';
    });
    const isAsked = cells.some((cell) => cell !== '–');
    return isAsked ? [[row.variant === 'base' ? 'original model' : markdownLine(row.name), ...cells]] : [];
  });
  const head = groups.map(
    ({ name, items }) => `${markdownLine(name)}, ${items} ${items === 1 ? 'question' : 'questions'}`,
  );
  const note =
    'Share of right answers ± standard error, in brackets the difference from the original model in percentage points; then the share by length: each log-likelihood divided by the answer’s bytes.';
  return `${markdownTable(['Variant', ...head], lines)}\n\n${note}`;
}

function taskWords({ result, change }: AskedRow): string {
  const { accuracy, accuracyNorm, standardError } = result;
  const points = change === null ? '' : ` (${change >= 0 ? '+' : ''}${number(Math.round(change * 1000) / 10)})`;
  return `${percent(accuracy).replace(' %', '')} ± ${percent(standardError)}${points}; ${percent(accuracyNorm)}`;
}

/** A line for each variant that a training made, and its held-out perplexities where they are known. */
function trainingTable(rows: readonly ComparisonRow[]): string {
  const head = ['Variant', 'training', 'held-out perplexity by step'];
  const trained = rows.flatMap((row) => {
    const step = row.recipe.findLast(({ kind }) => kind === 'retrain');
    if (step?.kind !== 'retrain') return [];
    const points = row.training ? spacedPoints(row.training.evaluations, 6) : [];
    const curve = points.map((point) => `${point.step}: ${number(point.perplexity)}`).join(', ');
    return [[markdownLine(row.name), markdownLine(trainingSentence(step, step.text.corpus)), curve || '–']];
  });
  return trained.length === 0 ? '' : markdownTable(head, trained);
}

const speedUpWords = ({ ratio, low, high }: NonNullable<LatencyResult['speedUp']>): string =>
  `${ratio.toFixed(2)}× (${low.toFixed(2)} to ${high.toFixed(2)})`;

const verdictList = (rows: readonly ComparisonRow[]): string =>
  verdictsOf(rows)
    .map(({ text }) => `- ${markdownLine(text, 5000)}`)
    .join('\n');

/** One table with all criteria that score blocks, one with those that score attentions and MLPs. */
function scoreSections({ scores, model }: ModelRecord): string[] {
  const ofBase = scores.filter(({ options, evolution }) => (options?.of ?? 'base') === 'base' && !evolution);
  // 'block-pruner' says 'block' and counts sub-blocks: it has more scores than there are blocks.
  const blocks = ofBase.filter(
    ({ unit, scores: { length } }) => unit === 'block' && length <= model.shape.layers.length,
  );
  const attentions = ofBase.filter(({ unit }) => unit === 'attention');
  const mlps = ofBase.filter(({ unit }) => unit === 'mlp');
  const subBlocks = [
    ...attentions.map((found) => ({ found, label: `${labelOf(found.criterion)}, attention` })),
    ...mlps.map((found) => ({ found, label: `${labelOf(found.criterion)}, MLP` })),
  ];
  return [
    section(
      'Importance of the blocks',
      scoreTable(blocks.map((found) => ({ found, label: labelOf(found.criterion) }))),
    ),
    section('Importance of attentions and MLPs', scoreTable(subBlocks)),
  ];
}

function scoreTable(columns: readonly { readonly found: Scores; readonly label: string }[]): string {
  if (columns.length === 0) return '';
  const units = Math.max(...columns.map(({ found }) => found.scores.length));
  const head = [
    'Block',
    ...columns.map(({ found, label }) => `${label}${found.window > 1 ? `, ${found.window} blocks` : ''}`),
  ];
  const rows = Array.from({ length: units }, (_, index) => [
    String(index),
    ...columns.map(({ found }) => {
      const score = found.scores[index];
      if (score === undefined || Number.isNaN(score)) return '–';
      return found.order[0] === index ? `**${number(score)}**` : number(score);
    }),
  ]);
  return `${markdownTable(head, rows)}\n\nLow scores are removed first; the lowest of each column is bold.`;
}

function protocol({ calibration, comparison, created, program }: ModelRecord): string {
  const scored = comparison.flatMap(({ perplexity }) => Object.values(perplexity));
  const timed = comparison.flatMap(({ latency }) => latency);
  const tasks = taskGroups(comparison);
  const answers = tasks.flatMap(({ rows }) => rows.map(({ result }) => result));
  const labels = [...scored, ...timed, ...answers].map(({ device }) => `${device.runtime} on ${deviceWords(device)}`);
  const [text, time] = [scored[0], timed[0]];
  const lines = [
    calibration &&
      `Scores: ${calibration.samples} × ${calibration.seqLen} tokens of ${markdownLine(calibration.corpus)}, seed ${calibration.seed}, tokens ${markdownLine(calibration.hash)}.`,
    text &&
      `Perplexity: ${text.tokens} predicted tokens of ${markdownLine(text.text.corpus)}, ${text.text.sequences} sequences of at most ${text.text.seqLen}, tokens ${markdownLine(text.text.hash)}.`,
    time &&
      `Times: ${time.promptTokens} prompt + ${time.newTokens} new tokens, batch ${time.batch}, median of ${time.runs} runs after ${time.warmups} warm-ups, ± standard deviation.`,
    tasks.length > 0 &&
      `Tasks: ${tasks.map(({ task, items, hash }) => `${items} of ${markdownLine(task)}, tokens ${markdownLine(hash)}`).join('; ')}. The answer with the largest log-likelihood counts.`,
    labels.length > 0 && `Measured by ${[...new Set(labels)].join('; ')}.`,
    `Written ${markdownLine(created)} by ${markdownLine(program)}.`,
  ];
  return lines.flatMap((line) => (line ? [`- ${line}`] : [])).join('\n');
}
