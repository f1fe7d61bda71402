/** @file How a report's numbers were measured, as names and sentences: enough to measure them again. Pure. */
import { precisionLabel } from '../../benchmark/precisionNames';
import type { ModelRecord } from '../../report/record';
import type { LatencyResult, PerplexityResult, TaskResult } from '../../report/results';
import { calibrationLine, evaluationLine, provenance } from '../corpora/describe';
import { integer, plural } from '../parts/format';
import { enumerate, producedBy } from '../parts/names';
import { evolutionItem, searchMenu } from '../searches/searchMenu';
import { endsText } from '../searches/steps';
import { dateText } from './titles';

export interface ProtocolFact {
  readonly name: string;
  readonly lines: readonly string[];
}

export function protocolFacts(record: ModelRecord): ProtocolFact[] {
  const facts = [
    { name: 'Model', lines: modelLines(record) },
    { name: 'Device', lines: deviceLines(record) },
    { name: 'Scores', lines: scoreLines(record) },
    { name: 'Searches', lines: searchLines(record) },
    { name: 'Perplexity', lines: perplexityLines(record) },
    { name: 'Tasks', lines: taskLines(record) },
    { name: 'Times', lines: timeLines(record) },
    { name: 'Program', lines: programLines(record) },
  ];
  return facts.filter(({ lines }) => lines.length > 0);
}

/** Adapters of the report's numbers that run on the CPU, each once. */
export function softwareAdapters(record: ModelRecord): string[] {
  const { device, comparison, scores, widthScores } = record;
  const labels = [
    ...(device ? [device] : []),
    ...[...scores, ...widthScores].map((each) => each.device),
    ...comparison
      .flatMap(({ perplexity, latency, tasks = [] }) => [...Object.values(perplexity), ...latency, ...tasks])
      .map((each) => each.device),
  ];
  return [...new Set(labels.filter(({ software }) => software).map(({ adapter }) => adapter))];
}

function modelLines({ model }: ModelRecord): string[] {
  const { source, revision, architecture, dtype, parameters } = model;
  return [
    `${source}, revision ${revision}`,
    `${architecture}, ${integer(parameters)} parameters, weights in ${dtype}`,
    ...model.notes,
  ];
}

function deviceLines({ device }: ModelRecord): string[] {
  if (!device) return ['The browser had no WebGPU: ONNX Runtime computed on the CPU.'];
  const half = device.halfPrecision ? ' Matrix products were allowed in f16, which changes scores a little.' : '';
  return [`${device.adapter}, by WebGPU.${half}`];
}

/** Each way in which scores were measured, with the criteria that were. */
function scoreLines({ scores, widthScores }: ModelRecord): string[] {
  const lines = new Map<string, Set<string>>();
  for (const each of [...scores, ...widthScores]) {
    const { calibration, device } = each;
    const name = 'criterion' in each ? each.criterion : each.method;
    const on = calibration.tokens > 0 ? `, ${calibrationLine(calibration, [])}: ${provenance(calibration)}` : '';
    const line = `${producedBy(device)}${on}`;
    lines.set(line, (lines.get(line) ?? new Set()).add(name));
  }
  return [...lines].map(([line, names]) => `${enumerate([...names])} by ${line}.`);
}

function searchLines({ searches, evolution }: ModelRecord): string[] {
  const greedy = searchMenu.flatMap(({ id, label, barriers: usual }) => {
    const result = searches[id];
    if (!result) return [];
    const { steps, complete, plus, barriers = usual } = result;
    const ended = complete ? '' : ', stopped early';
    return [
      `${label}: ${plural(steps.length, 'step')}${ended}${plus ? ', with the + rule' : ''}. ${endsText(barriers)}`.trim(),
    ];
  });
  if (!evolution || !evolutionItem) return greedy;
  const { asked, complete } = evolution;
  const parts = [
    asked.count === undefined
      ? null
      : `removes ${plural(asked.count, asked.unit === 'half' ? 'sub-block' : asked.unit)}`,
    asked.generations === undefined ? null : plural(asked.generations, 'generation'),
    asked.offspring === undefined ? null : `${asked.offspring} candidates each`,
    asked.survivors === undefined ? null : `survivors ${asked.survivors.join(', ')}`,
    asked.tokens === undefined ? null : `tokens ${asked.tokens.join(', ')}`,
    asked.seed === undefined ? null : `seed ${asked.seed}`,
    complete ? null : 'stopped early',
  ];
  return [...greedy, `${evolutionItem.label}: ${parts.filter((part) => part !== null).join(', ')}.`];
}

function perplexityLines({ comparison }: ModelRecord): string[] {
  const results = comparison.flatMap(({ perplexity }) => Object.values(perplexity));
  return unique(results, (result: PerplexityResult) => {
    const { device, text, tokens, precision = 'f32' } = result;
    return `${producedBy(device)}${precisionLabel[precision]}: ${integer(tokens)} predicted tokens, ${evaluationLine(text, [])}: ${provenance(text)}.`;
  });
}

function taskLines({ comparison }: ModelRecord): string[] {
  const results = comparison.flatMap(({ tasks = [] }) => tasks);
  return unique(results, ({ task, items, hash, device }: TaskResult) => {
    const how =
      'the answer with the largest log-likelihood counts; by length: divided by its characters; ± standard error of the share';
    return `${producedBy(device)}: ${plural(items, 'question')} of ${task}, tokens ${hash}; ${how}.`;
  });
}

/** Each way of timing, with all its batch sizes. */
function timeLines({ comparison }: ModelRecord): string[] {
  const ways = new Map<string, Set<number>>();
  const timed = comparison.flatMap(({ latency }) => latency);
  for (const result of timed)
    ways.set(timingLine(result), (ways.get(timingLine(result)) ?? new Set()).add(result.batch));
  const lines = [...ways].map(([line, batches]) => {
    const sizes = enumerate([...batches].sort((a, b) => a - b).map(String));
    return `${line}, batch ${sizes}.`;
  });
  const pairs = [...new Set(timed.flatMap(({ speedUp }) => speedUp?.pairs ?? []))].sort((a, b) => a - b);
  if (pairs.length === 0) return lines;
  const rounds = enumerate(pairs.map(String));
  return [
    ...lines,
    `Speed-ups: geometric mean of the ratios of ${rounds} pairs of runs, which alternate with the original model; 95 % intervals by Student’s t.`,
  ];
}

function timingLine({ device, promptTokens, newTokens, runs, warmups, precision = 'f32' }: LatencyResult): string {
  return `${producedBy(device)}${precisionLabel[precision]}: ${promptTokens} prompt and ${newTokens} new tokens, median of ${runs} runs after ${warmups} warm-ups, ± standard deviation`;
}

function programLines({ program, created }: ModelRecord): string[] {
  const date = dateText(created);
  return [`${program}${date ? `, ${date}` : ''}`];
}

const unique = <T>(items: readonly T[], line: (item: T) => string): string[] => [...new Set(items.map(line))];
