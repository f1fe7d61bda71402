/** @file Words and figures of a report that runs again. Pure. */

import type { ReproducedKind } from '../../lab/contract/sharing';
import type { ModelRecord } from '../../report/record';
import { type Part, partsOf } from '../../report/reproduction/parts';
import type { ReproducedValue } from '../../report/reproduction/values';
import { corpusTitle } from '../corpora/describe';
import { bytes, milliseconds, percent, perplexity, plural, times } from '../parts/format';

const minus = '\u2212';

/** Five significant digits: one more than a link keeps, so that a deviation shows. */
function scoreText(value: number): string {
  if (Number.isNaN(value)) return 'not a number';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${minus}∞`;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(3).replaceAll('-', minus);
  const decimals = Math.max(0, 4 - Math.floor(Math.log10(size)));
  return value.toLocaleString('en-US', { maximumFractionDigits: decimals }).replace('-', minus);
}

/** A number of a report, or the one measured here, with its unit. */
export function valueText(value: number | null, unit: ReproducedValue['unit']): string {
  if (value === null) return '–';
  if (unit === 'ms') return milliseconds(value);
  if (unit === '×') return times(value);
  if (unit === 'share') return percent(value);
  return unit === 'perplexity' && Math.abs(value) < 1e6 ? perplexity(value) : scoreText(value);
}

/** '0', '0.004%', '1.2%', '35%'. */
export function deviationText(deviation: number | null): string {
  if (deviation === null) return '–';
  if (!Number.isFinite(deviation)) return '∞';
  if (deviation === 0) return '0%';
  if (deviation < 1e-5) return '<0.001%';
  if (deviation >= 0.01) return percent(deviation);
  return `${Number((deviation * 100).toPrecision(2))}%`;
}

/** What a reader may leave out, with the time that it took on the report's device. */
export interface Choice {
  readonly kind: ReproducedKind;
  readonly text: string;
  readonly time: string | null;
}

const nouns: readonly (readonly [ReproducedKind, string])[] = [
  ['scores', 'criterion'],
  ['width', 'width method'],
  ['perplexities', 'perplexity'],
  ['tasks', 'task'],
  ['searches', 'search'],
  ['latencies', 'latency run'],
];
const plurals: Readonly<Record<string, string>> = {
  criterion: 'criteria',
  perplexity: 'perplexities',
  search: 'searches',
};

export function choicesOf(record: ModelRecord): Choice[] {
  const parts = partsOf(record);
  return nouns.flatMap(([kind, noun]): Choice[] => {
    const found = parts.filter((part) => part.kind === kind);
    if (found.length === 0) return [];
    const text = found.length === 1 ? `1 ${noun}` : `${found.length} ${plurals[noun] ?? `${noun}s`}`;
    return [{ kind, text, time: timeText(timeOf(found)) }];
  });
}

/** What parts took on the report's device, ms; 0 where the report does not tell. */
export const timeOf = (parts: readonly Part[]): number =>
  parts.reduce((sum, { milliseconds: each }) => sum + (each ?? 0), 0);

/** 'under a second', '12 s', '3 min'; null for no time. */
export function timeText(ms: number): string | null {
  if (ms <= 0) return null;
  if (ms < 1000) return 'under a second';
  return ms < 90_000 ? `${Math.round(ms / 1000)} s` : plural(Math.round(ms / 60_000), 'minute');
}

/** What is fetched of the model, one sentence. `host`: the server that is asked; null for the page's own demo or own files. */
export function fetchText({ model }: ModelRecord, host: string | null): string {
  const size = model.storedBytes > 0 ? `about ${bytes(model.storedBytes)}` : 'of a size that the report does not tell';
  if (model.id === 'demo') return `The demo model, ${size}, comes from this page.`;
  if (host === null) return 'The model came from its author’s own files: it opens only if this browser stores it.';
  return `The model, ${size}, comes from ${host}, unless this browser stores this revision; another stored revision of it is replaced.`;
}

/** Texts that come from the Hub unless this browser stores them; in words, each once. */
export function hubTexts({ calibration, comparison }: ModelRecord): string[] {
  const perplexities = comparison.flatMap((row) => Object.values(row.perplexity));
  const texts = [...(calibration ? [calibration] : []), ...perplexities.map(({ text }) => text)];
  const fromHub = texts.filter(({ origin }) => origin?.source.startsWith('hf:'));
  return [...new Set(fromHub.map(({ corpus }) => corpusTitle(corpus, [])))];
}
