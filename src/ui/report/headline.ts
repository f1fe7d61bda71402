/** @file What a report found, in one sentence, where its numbers support one. Pure. */

import type { LabState } from '../../lab/page/store';
import type { ComparisonRow, LatencyResult, PerplexityResult } from '../../report/results';
import { type Side, sideOf } from '../../report/verdict';
import { rowPerplexity } from '../now/current';
import { integer, percent, perplexity } from '../parts/format';
import { planText } from '../parts/names';
import { overBase, speedUpText } from '../parts/speedUp';
import { menu } from '../strip/menu';

type Measured = Pick<LabState, 'base' | 'comparison' | 'model' | 'scores'>;

/** A variant with a perplexity on the base's tokens by the base's runtime. */
interface Scored {
  readonly row: ComparisonRow;
  readonly side: Side;
  readonly value: number;
}

/** Variants within this share of the parameters were made for one budget. */
const sameSize = 0.03;

const sideNames: Readonly<Record<Side, string>> = {
  depth: 'removing blocks',
  width: 'removing heads and neurons',
  mixed: 'removing both',
};

export function headlineOf(state: Measured): string | null {
  const { base, comparison } = state;
  const scored = base ? comparison.flatMap((row) => scoredOf(row, base)) : [];
  if (!base || !Number.isFinite(base.perplexity) || scored.length === 0) return importanceSentence(state);
  const [only, ...others] = scored;
  if (only && others.length === 0) return oneVariant(state, base, only);
  return sidesSentence(base, scored) ?? rangeSentence(base, scored);
}

function scoredOf(row: ComparisonRow, base: PerplexityResult): Scored[] {
  const side = sideOf(row.plan);
  const result = row.perplexity[base.runtime] ?? rowPerplexity(row, base.text.hash);
  if (row.variant === 'base' || side === null || !result || result.text.hash !== base.text.hash) return [];
  return Number.isFinite(result.perplexity) ? [{ row, side, value: result.perplexity }] : [];
}

const original = (base: PerplexityResult): string => `${perplexity(base.perplexity)} of the original model`;

function oneVariant({ model }: Measured, base: PerplexityResult, { row, value }: Scored): string {
  const words = planText(row.plan, model?.shape ?? null);
  const change = value > base.perplexity ? 'rises' : 'falls';
  const from = perplexity(base.perplexity) === perplexity(value) ? null : perplexity(base.perplexity);
  const quality = from === null ? `stays at ${perplexity(value)}` : `${change} from ${from} to ${perplexity(value)}`;
  const speed = speedWords(row);
  return `${capital(words)}, the model keeps ${percent(1 - row.ratio)} of its parameters, and its perplexity ${quality}${speed}.`;
}

/** The speed-up at the smallest batch size, where the runs show one on a real device. */
function speedWords({ latency }: ComparisonRow): string {
  const timed = latency
    .filter((result) => !result.device.software && overBase(result) !== null)
    .toSorted((a, b) => a.batch - b.batch);
  const [first] = timed as [LatencyResult?];
  const speedUp = first && overBase(first);
  if (!first || !speedUp) return '';
  const { value, interval, verdict } = speedUpText(speedUp);
  if (verdict === 'open') return '; the runs show no difference in speed';
  return `; it runs ${value.replace('×', '')} times as fast at batch ${first.batch} (95 % interval ${interval})`;
}

/** Which side is better at about one size; null where one side is alone or sizes differ. */
function sidesSentence(base: PerplexityResult, scored: readonly Scored[]): string | null {
  const ratios = scored.map(({ row }) => row.ratio);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  const best = scored.toSorted((a, b) => a.value - b.value);
  const sides = [...new Set(best.map(({ side }) => side))].map((side) => best.find((each) => each.side === side)!);
  const [first, second] = sides;
  if (!first || !second || most - least > sameSize) return null;
  const size = `With ${percent(least)}${percent(least) === percent(most) ? '' : ` to ${percent(most)}`} of the parameters removed`;
  if (perplexity(first.value) === perplexity(second.value)) {
    return `${size}, ${sideNames[first.side]} and ${sideNames[second.side]} lead to the same best perplexity, ${perplexity(first.value)}, against ${original(base)}.`;
  }
  return `${size}, ${sideNames[first.side]} keeps the better perplexity: ${perplexity(first.value)} at best, against ${perplexity(second.value)} by ${sideNames[second.side]} and ${original(base)}.`;
}

function rangeSentence(base: PerplexityResult, scored: readonly Scored[]): string {
  const kept = scored.map(({ row }) => 1 - row.ratio);
  const values = scored.map(({ value }) => value);
  const [most, least] = [percent(Math.max(...kept)), percent(Math.min(...kept))];
  const sizes = most === least ? most : `${most} to ${least}`;
  const [low, high] = [perplexity(Math.min(...values)), perplexity(Math.max(...values))];
  const range = low === high ? low : `${low} to ${high}`;
  return `${scored.length} variants keep ${sizes} of the parameters; their perplexity is ${range}, against ${original(base)}.`;
}

/** The block that matters least and the one that matters most, by the first criterion of the menu that is measured. */
function importanceSentence({ scores, comparison, base }: Measured): string | null {
  const item = menu.find(({ id, needs }) => needs !== 'nothing' && scores[id]?.window === 1);
  const found = item && scores[item.id];
  const values = found?.scores.map((score, block) => ({ score, block })).filter(({ score }) => !Number.isNaN(score));
  const ascending = values?.toSorted((a, b) => a.score - b.score) ?? [];
  const [least, most] = [ascending[0], ascending.at(-1)];
  if (!item || !found || !least || !most || least.score === most.score) return alone(base, comparison);
  if (found.reference === undefined || item.id !== 'ppl') {
    return `By ${item.label}, block ${least.block} matters least and block ${most.block} most.`;
  }
  const tokens = `${integer(found.calibration.tokens)} calibration tokens`;
  return `Block ${least.block} matters least and block ${most.block} most: without block ${least.block}, perplexity on ${tokens} goes from ${perplexity(found.reference)} to ${perplexity(least.score)}.`;
}

function alone(base: PerplexityResult | null, comparison: readonly ComparisonRow[]): string | null {
  if (!base || comparison.length > 1 || !Number.isFinite(base.perplexity)) return null;
  return `The original model has a perplexity of ${perplexity(base.perplexity)} on ${integer(base.tokens)} held-out tokens.`;
}

const capital = (words: string): string => `${words[0]?.toUpperCase() ?? ''}${words.slice(1)}`;
