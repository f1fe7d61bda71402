/** @file A report as plain-text tables: scores by block, and one row per variant. */
import { greedyMethods } from '../../src/importance/methods.ts';
import { describePlan } from '../../src/pruning/describe.ts';
import { isEmptyPlan } from '../../src/pruning/plan.ts';
import { verdictsOf } from '../../src/report/verdict.ts';

const placeholder = '–';

/** Rows of cells as aligned lines; the first column is text, the others are numbers. */
export function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Four significant digits; large numbers without a fraction. */
export function short(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return placeholder;
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  return Math.abs(value) >= 10_000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}

function scoreName({ criterion, unit, window }) {
  const greedy = greedyMethods.find(({ id }) => id === criterion);
  const unitOfScores = greedy ? greedy.units[0] : unit;
  if (unitOfScores === 'half') return `${criterion} (attention of block l: 2 l, its MLP: 2 l + 1)`;
  return window > 1 ? `${criterion} (${window} blocks)` : criterion;
}

/** One row per criterion, one column per block, and the order of removal. */
export function scoresTable(scores) {
  const width = Math.max(...scores.map(({ scores: values }) => values.length));
  const head = ['criterion', ...Array.from({ length: width }, (_, block) => String(block)), 'remove first'];
  const rows = scores.map((each) => [
    scoreName(each),
    ...Array.from({ length: width }, (_, block) => short(each.scores[block])),
    each.order.slice(0, 6).join(' '),
  ]);
  return align([head, ...rows]);
}

// Not the mean: FLAP's scores are standardized in each block, so that their mean is 0.
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Two rows per width method, one column per block: the median score of its heads, and of its neurons. */
export function widthTable(found) {
  const blocks = Math.max(...found.map(({ neurons }) => neurons.length));
  const columns = Array.from({ length: blocks }, (_, block) => block);
  const rows = found.flatMap(({ method, headUnit, heads, neurons, options = {} }) => {
    const name = `${method}${options.asPublished ? ' as published' : ''}${options.sequential ? ' in sequence' : ''}`;
    return [
      [`${name}, median of ${headUnit === 'kvGroup' ? 'key/value groups' : 'heads'}`, heads],
      [`${name}, median of neurons`, neurons],
    ].map(([label, lists]) => [label, ...columns.map((block) => short(median(lists[block] ?? [])))]);
  });
  return align([['width method', ...columns.map(String)], ...rows]);
}

/** Sentences about which variant wins; null where there is nothing to compare. */
export function verdictLines(rows) {
  const verdicts = verdictsOf(rows).map(({ text }) => text);
  return verdicts.length === 0 ? null : verdicts.join('\n');
}

/** What the search for the best model predicted, beside what was then measured. */
export function bestTable({ variant, predicted, measured }) {
  const row = (name, { msPerToken, cacheBytes, perplexity }) => [
    name,
    short(msPerToken),
    String(cacheBytes),
    short(perplexity),
  ];
  const head = [`best model: ${variant.name}`, 'ms/token', 'cache bytes', 'perplexity'];
  return align([head, row('predicted', predicted), row('measured', measured)]);
}

/** What a plan removes: '5, 6; MLP 1', '2 of 8 heads and 43 of 172 neurons per block'. */
function removed(plan, shape) {
  return isEmptyPlan(plan) ? placeholder : describePlan({ ...plan, rule: undefined }, shape).replace(/^without /, '');
}

/** '1.31 (1.27 to 1.36)'; with '=' in front where the interval includes 1, so that the runs show no difference. */
function speedUp(result) {
  const measured = result?.speedUp;
  if (measured === undefined || measured.against !== 'base') return placeholder;
  const { ratio, low, high, inTurns } = measured;
  const text = `${[ratio, low, high]
    .map((value) => value.toFixed(2))
    .join(' (')
    .replace(/ \(([^ ]*)$/, ' to $1')})`;
  return `${low <= 1 && high >= 1 ? '= ' : ''}${text}${inTurns ? '' : ' ‡'}`;
}

/** One row per variant: size, perplexity by runtime, speed at batch 1. */
export function comparisonTable(rows, shape) {
  const head = ['variant', 'removed', 'parameters', 'less %', 'ppl wgsl', 'ppl ort-wasm', 'ppl ort-webgpu'];
  const speed = ['prefill ms', 'ms/token', 'latency ms', '± ms', 'tokens/s', 'speed-up'];
  const lines = rows.map((row) => {
    const timed = row.latency[0];
    return [
      row.name,
      removed(row.plan, shape),
      String(row.parameters),
      (100 * row.ratio).toFixed(1),
      ...['wgsl', 'ort-wasm', 'ort-webgpu'].map((runtime) => short(row.perplexity[runtime]?.perplexity)),
      short(timed?.prefillMs),
      short(timed?.decodeMsPerToken),
      short(timed?.latencyMs),
      short(timed?.spread),
      short(timed?.throughput),
      speedUp(timed),
    ];
  });
  return align([[...head, ...speed], ...lines]);
}

/** Where a text came from, and how its sequences were cut. */
function from(origin) {
  if (!origin) return '';
  const start = origin.start === 'none' ? '' : `, start token: ${origin.start}`;
  return ` · ${origin.source} (${origin.documents} rows, ${origin.contentHash}) by '${origin.protocol}'${start}`;
}

/** What the numbers were computed from and on what, one fact per line. */
export function conditions({ model, device, calibration, comparison }) {
  const adapter =
    device === null
      ? 'no WebGPU'
      : `${device.adapter}${device.software ? ' (software adapter: numbers are correct, times mean nothing)' : ''}`;
  const timed = comparison.flatMap((row) => row.latency)[0];
  const lines = [
    `model        ${model.source} · ${model.architecture} · ${model.shape.layers.length} blocks · ${model.parameters} parameters · ${model.dtype}`,
    `adapter      ${adapter}`,
  ];
  if (calibration) {
    const { corpus, samples, seqLen, seed, hash, origin } = calibration;
    lines.push(`calibration  ${corpus} · ${samples} × ${seqLen} tokens · seed ${seed} · ${hash}${from(origin)}`);
  }
  const texts = comparison.flatMap((row) => Object.values(row.perplexity)).map(({ text }) => text);
  for (const [hash, { corpus, sequences, seqLen, origin }] of new Map(texts.map((text) => [text.hash, text]))) {
    const of = origin?.available && origin.available > sequences ? ` of ${origin.available}` : '';
    lines.push(`perplexity   ${corpus} · ${sequences}${of} × ${seqLen} tokens · ${hash}${from(origin)}`);
  }
  if (timed) {
    const { device: label, promptTokens, newTokens, runs, warmups } = timed;
    lines.push(
      `latency      ${label.runtime} on ${label.adapter} · ${promptTokens} tokens in, ${newTokens} out · median of ${runs} after ${warmups} warm-ups`,
    );
  }
  const ratios = comparison.flatMap((row) => row.latency).filter((result) => result.speedUp?.against === 'base');
  if (ratios.length > 0) {
    lines.push(
      "speed-up     original model / variant, alternating runs: mean of the pairs' ratios (95 % interval); =: it includes 1, these runs show no significant difference",
    );
  }
  if (ratios.some((result) => !result.speedUp.inTurns)) {
    lines.push(
      '             ‡ memory was too small for both: the original model was timed before and after the variant',
    );
  }
  return lines.join('\n');
}
