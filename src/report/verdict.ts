/**
 * @file Which variant wins a comparison, measure by measure, and whether blocks or heads and neurons do: in sentences with the
 * numbers and their spread. Pure; the page and `npm run lab` show the same sentences.
 */
import { formatBytes } from '../io/storage';
import type { Ratio } from '../numerics/pairedRatio';
import { type PruningPlan, removedByKind, removesWidth } from '../pruning/plan';
import type { ComparisonRow, LatencyResult, PerplexityResult, Runtime, SpeedUp } from './results';

/** 'depth': blocks, attentions, MLPs; 'width': heads and neurons; 'mixed': some of both; null for the original model. */
export type Side = 'depth' | 'width' | 'mixed';

export interface Verdict {
  readonly measure: 'perplexity' | 'latency' | 'memory';
  readonly runtime: Runtime;
  /** Of latency and memory. */
  readonly batch: number | null;
  /** Id of the variant with the best number; null where the runs do not tell which one that is. */
  readonly best: string | null;
  /** The side that wins; null where there is one side only, or where the runs show no difference. */
  readonly winner: Side | null;
  /** The first sentence of `text`: which variant is best, with its number. */
  readonly headline: string;
  readonly text: string;
}

const worded = (said: readonly string[]): Pick<Verdict, 'headline' | 'text'> => ({
  headline: said[0] ?? '',
  text: said.join(' '),
});

/** What a plan removes. */
export function sideOf(plan: PruningPlan): Side | null {
  const depth = removedByKind(plan).some((layers) => layers.length > 0);
  if (removesWidth(plan)) return depth ? 'mixed' : 'width';
  return depth ? 'depth' : null;
}

/** A variant with its number of one measure. */
interface Entry<T> {
  readonly id: string;
  readonly name: string;
  readonly side: Side | null;
  readonly value: T;
}

const baseId = 'base';
const words: Readonly<Record<Side, string>> = {
  depth: 'removing blocks',
  width: 'removing heads and neurons',
  mixed: 'removing both',
};
const runtimes: Readonly<Record<Runtime, string>> = {
  wgsl: 'WGSL engine',
  'ort-webgpu': 'ONNX Runtime on WebGPU',
  'ort-wasm': 'ONNX Runtime on the CPU',
};

/** Every verdict that the rows allow: perplexity, then latency and memory by batch size. Needs the base and a variant. */
export function verdictsOf(rows: readonly ComparisonRow[]): Verdict[] {
  const quality = perplexityVerdict(rows);
  const groups = timedTogether(rows);
  return [
    ...(quality ? [quality] : []),
    ...groups.map((group) => latencyVerdict(group)),
    ...groups.map((group) => memoryVerdict(rows, group)),
  ];
}

const entryOf = <T>({ variant, name, plan }: ComparisonRow, value: T): Entry<T> => ({
  id: variant,
  name,
  side: variant === baseId ? null : sideOf(plan),
  value,
});

/** The perplexities of one runtime on one text that the most variants have; null without the base and a variant. */
function perplexityVerdict(rows: readonly ComparisonRow[]): Verdict | null {
  const groups = new Map<string, Entry<PerplexityResult>[]>();
  for (const row of rows) {
    for (const result of Object.values(row.perplexity)) {
      const key = `${result.runtime} ${result.text.hash} ${result.tokens}`;
      groups.set(key, [...(groups.get(key) ?? []), entryOf(row, result)]);
    }
  }
  const whole = [...groups.values()].filter(
    (group) => group.some(({ id }) => id === baseId) && group.some(({ side }) => side !== null),
  );
  const [group] = whole.sort((a, b) => b.length - a.length);
  if (!group) return null;
  const base = group.find(({ id }) => id === baseId)!.value;
  const value = ({ value: { perplexity } }: Entry<PerplexityResult>): number =>
    Number.isNaN(perplexity) ? Number.POSITIVE_INFINITY : perplexity;
  const { best, others, spans } = ranked(group, (a, b) => value(a) - value(b));
  const said = [
    `Perplexity: ${best.name} is best with ${figure(value(best))} (original model ${figure(base.perplexity)}).`,
    ...others.map((other) => {
      const more = value(other) / value(best) - 1;
      const share = Number.isFinite(more) ? `, ${percent(more)} more` : '';
      return `The best variant by ${words[other.side!]}, ${other.name}, has ${figure(value(other))}${share}.`;
    }),
    ...spans.flatMap(({ side, entries }) => {
      if (entries.length < 2) return [];
      const all = entries.map(value);
      return [`The ${entries.length} variants by ${words[side]} have ${figure(all[0]!)} to ${figure(all.at(-1)!)}.`];
    }),
    `Measured on ${base.tokens} tokens with the ${runtimes[base.runtime]}.`,
  ];
  const tie = others.some((other) => value(other) === value(best));
  const winner = others.length > 0 && !tie ? best.side : null;
  return { measure: 'perplexity', runtime: base.runtime, batch: null, best: best.id, winner, ...worded(said) };
}

type Timed = LatencyResult & { readonly speedUp: SpeedUp };

/** The variants that were timed in turns with the base, by batch size: those of the runtime that timed the most. */
function timedTogether(rows: readonly ComparisonRow[]): Entry<Timed>[][] {
  const groups = new Map<string, Entry<Timed>[]>();
  for (const row of rows) {
    for (const result of row.latency) {
      if (row.variant === baseId || sideOf(row.plan) === null || result.speedUp?.against !== baseId) continue;
      const { runtime, batch, promptTokens, newTokens, precision = 'f32', device } = result;
      const key = [runtime, batch, promptTokens, newTokens, precision, device.adapter].join(' ');
      groups.set(key, [...(groups.get(key) ?? []), entryOf(row, { ...result, speedUp: result.speedUp })]);
    }
  }
  const largest = new Map<number, Entry<Timed>[]>();
  for (const group of groups.values()) {
    const { batch } = group[0]!.value;
    if (group.length > (largest.get(batch)?.length ?? 0)) largest.set(batch, group);
  }
  return [...largest.values()].sort((a, b) => a[0]!.value.batch - b[0]!.value.batch);
}

const apart = (a: Ratio, b: Ratio): boolean => a.low > b.high || b.low > a.high;
const times = ({ ratio, low, high }: Ratio): string =>
  `${ratio.toFixed(2)} times as fast as the original model (95 % interval ${low.toFixed(2)} to ${high.toFixed(2)})`;

function latencyVerdict(group: readonly Entry<Timed>[]): Verdict {
  const { batch, runtime } = group[0]!.value;
  const speed = ({ value }: Entry<Timed>): SpeedUp => value.speedUp;
  const { best, others } = ranked(group, (a, b) => speed(b).ratio - speed(a).ratio);
  const beats = (other: Entry<Timed>): boolean => apart(speed(best), speed(other));
  const isFaster = speed(best).low > 1;
  const said = [
    `Latency, batch ${batch}: ${best.name} is ${times(speed(best))}.`,
    ...(isFaster ? [] : ['The runs do not show that any variant is faster than the original model.']),
    ...others.map((other) => {
      const number = `The fastest variant by ${words[other.side!]}, ${other.name}, is ${times(speed(other))}`;
      return beats(other) ? `${number}.` : `${number}: the runs show no difference between the two.`;
    }),
    `${runtimes[runtime]}, ${speed(best).pairs} rounds${speed(best).inTurns ? '' : ', one model in memory at a time'}.`,
  ];
  const rivals = group.filter((each) => each !== best);
  const winner = isFaster && others.length > 0 && others.every(beats) ? best.side : null;
  const isAlone = isFaster && rivals.every(beats);
  return { measure: 'latency', runtime, batch, best: isAlone ? best.id : null, winner, ...worded(said) };
}

function memoryVerdict(rows: readonly ComparisonRow[], group: readonly Entry<Timed>[]): Verdict {
  const { batch, runtime, promptTokens, newTokens } = group[0]!.value;
  const size = ({ value }: Entry<Timed>): number => value.peakBytes;
  const { best, others } = ranked(group, (a, b) => size(a) - size(b));
  const base = rows
    .find(({ variant }) => variant === baseId)
    ?.latency.find((result) => result.batch === batch && result.runtime === runtime);
  const original = base === undefined ? '' : ` (original model ${formatBytes(base.peakBytes)})`;
  const said = [
    `Memory, batch ${batch}: ${best.name} needs least, ${formatBytes(size(best))}${original}.`,
    ...others.map(
      (other) => `The smallest variant by ${words[other.side!]}, ${other.name}, needs ${formatBytes(size(other))}.`,
    ),
    `Weights and key/value cache of ${promptTokens + newTokens} tokens, as ${runtimes[runtime]} holds them.`,
  ];
  const tie = others.some((other) => size(other) === size(best));
  const winner = others.length > 0 && !tie ? best.side : null;
  return { measure: 'memory', runtime, batch, best: best.id, winner, ...worded(said) };
}

/** The best variant, the best one of each other side, and the variants of each side from the best on. */
function ranked<T>(group: readonly Entry<T>[], compare: (a: Entry<T>, b: Entry<T>) => number) {
  const sorted = group.filter(({ side, id }) => side !== null && id !== baseId).sort(compare);
  const sides = [...new Set(sorted.map(({ side }) => side!))];
  const spans = sides.map((side) => ({ side, entries: sorted.filter((entry) => entry.side === side) }));
  return { best: sorted[0]!, others: spans.slice(1).map(({ entries }) => entries[0]!), spans };
}

function figure(value: number): string {
  if (!Number.isFinite(value)) return 'an infinite value';
  return value.toFixed(value >= 1000 ? 0 : value >= 100 ? 1 : 3);
}

const percent = (share: number): string => `${(100 * share).toFixed(share >= 0.1 ? 0 : 1)} %`;
