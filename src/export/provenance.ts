/** @file How a variant was made and what was measured of it, in sentences and tables of Markdown. All exported cards use these. */
import { describePlan } from '../pruning/describe';
import { isEmptyPlan } from '../pruning/plan';
import { repairLabels } from '../pruning/repairMethods';
import { trainingSentence } from '../pruning/trainingWords';
import type { RepairText, Step } from '../pruning/variant';
import { ruleSentences } from '../pruning/widthRule';
import type { ComparisonRow, PerplexityResult, TaskResult } from '../report/results';
import type { CalibrationInfo } from '../report/texts';
import type { ExportSource } from './exported';

/** 'owner/name' of a model of the Hugging Face Hub; null for one from another place. */
export function hubName({ source }: { readonly source: string }): string | null {
  const name = source.replace(/^hf:/, '').replace(/@[^@]*$/, '');
  return /^[\w.-]+\/[\w.-]+$/.test(name) && !source.startsWith('files:') ? name : null;
}

/** Text from outside on one line, without the characters by which Markdown marks things. */
export const plainText = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]<>|#]/g, (mark) => `\\${mark}`)
    .slice(0, 300);

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const counted = (value: number): string => Math.round(value).toLocaleString('en-US');

/** The base, by a name that a reader can look up. */
export function baseWords({ model }: ExportSource): string {
  const hub = hubName(model);
  if (hub !== null) return `[${hub}](https://huggingface.co/${hub}) at revision \`${model.revision.slice(0, 60)}\``;
  return model.source === 'demo'
    ? 'the demo model of Secateur'
    : plainText(model.source.replace(/^files:.*/, 'files of a folder'));
}

/** How the variant was made, one sentence each, in the order in which it was done. */
export function madeSentences(source: ExportSource): string[] {
  const { plan, recipe, baseShape, parameters, ratio, model, calibration } = source;
  const size = `${counted(parameters)} parameters, ${percent(ratio)} less than the base's ${counted(model.parameters)}.`;
  if (isEmptyPlan(plan) && recipe.length === 0)
    return [`This is ${baseWords(source)}, unchanged: ${counted(parameters)} parameters.`];
  return [
    `Base model: ${baseWords(source)}, ${baseShape.layers.length} blocks.`,
    `Removed (indices of the base): ${plainText(describePlan(plan, baseShape))}.`,
    ...(plan.rule ? ruleSentences(plan.rule).map(plainText) : []),
    ...recipe.flatMap(stepSentence),
    ...(calibration ? [`Calibration: ${calibrationWords(calibration)}.`] : []),
    size,
  ];
}

function stepSentence(step: Step): string[] {
  switch (step.kind) {
    case 'prune':
      return [];
    case 'patch':
      return [`Tensors replaced from a file: ${step.tensors.length} (SHA-256 \`${step.sha256}\`).`];
    case 'repair':
      return [`Repair without training: ${repairLabels[step.method]}, on ${textWords(step.text)}.`];
    case 'retrain':
      return [
        trainingSentence(
          step,
          `"${plainText(step.text.corpus)}"`,
          step.text.source === undefined ? undefined : plainText(step.text.source),
        ),
      ];
    default:
      return step satisfies never;
  }
}

const textWords = ({ corpus, samples, seqLen, seed, hash }: RepairText | CalibrationInfo): string =>
  `${samples} sequences of ${seqLen} tokens of "${plainText(corpus)}", seed ${seed}, hash of the token ids \`${hash.slice(0, 64)}\``;

/** The calibration: corpus, sizes, seed, hash. */
export const calibrationWords = textWords;

/** Tables of what was measured of the variant and of its base; a sentence where nothing was. */
export function measuredMarkdown({ row, baseRow, name }: ExportSource): string {
  const rows = [baseRow, row].filter((each): each is ComparisonRow => each !== null);
  const unique = [...new Map(rows.map((each) => [each.variant, each])).values()];
  const label = (each: ComparisonRow): string => (each.variant === 'base' ? 'base' : plainText(name));
  const perplexities = unique.flatMap((each) =>
    Object.values(each.perplexity).map((result) => perplexityLine(label(each), result)),
  );
  const latencies = unique.flatMap((each) =>
    each.latency.map(
      (one) =>
        `| ${label(each)} | ${one.batch} | ${one.promptTokens} + ${one.newTokens} | ${one.latencyMs.toFixed(1)} | ${one.decodeMsPerToken.toFixed(2)} | ${one.runs} | ${plainText(one.device.adapter)}, ${plainText(one.device.runtime)}${one.device.software ? ' (software: no measure of speed)' : ''} |`,
    ),
  );
  const answers = unique.flatMap((each) => (each.tasks ?? []).map((result) => taskLine(label(each), result)));
  const tables = [
    ...(perplexities.length > 0
      ? [
          ['| model | perplexity | text | tokens | device |', '|---|---|---|---|---|', ...perplexities].join('\n'),
          'Each sequence is scored on its own; the mean is over all predicted tokens. Numbers of other protocols are not comparable.',
        ]
      : []),
    ...(answers.length > 0
      ? [
          [
            '| model | task | questions | right | right by length | device |',
            '|---|---|---|---|---|---|',
            ...answers,
          ].join('\n'),
          'Share of questions whose likeliest answer is right, ± standard error; by length: each log-likelihood divided by the answer’s bytes. Only the same questions compare.',
        ]
      : []),
    ...(latencies.length > 0
      ? [
          [
            '| model | batch | prompt + new tokens | latency, ms | ms per new token | runs | device |',
            '|---|---|---|---|---|---|---|',
            ...latencies,
          ].join('\n'),
          'Medians, measured in a browser. Another device and another engine give other times.',
        ]
      : []),
  ];
  return tables.length > 0 ? tables.join('\n\n') : 'Nothing was measured of this model yet.';
}

function perplexityLine(label: string, { perplexity, text, tokens, device }: PerplexityResult): string {
  const what = `${plainText(text.corpus)}, ${text.sequences} × ${text.seqLen} tokens, hash \`${text.hash.slice(0, 64)}\``;
  return `| ${label} | ${perplexity.toPrecision(6)} | ${what} | ${counted(tokens)} | ${plainText(device.adapter)}, ${plainText(device.runtime)} |`;
}

function taskLine(label: string, result: TaskResult): string {
  const { task, items, accuracy, accuracyNorm, standardError, hash, device } = result;
  const questions = `${counted(items)}, hash \`${plainText(hash).slice(0, 64)}\``;
  return `| ${label} | ${plainText(task)} | ${questions} | ${accuracy.toFixed(3)} ± ${standardError.toFixed(3)} | ${accuracyNorm.toFixed(3)} | ${plainText(device.adapter)}, ${plainText(device.runtime)} |`;
}
