/**
 * @file Several reports as one set of data: what their variants lose against each report's own base, how much faster they are, and how
 * alike their scores rank. Pure. Perplexities compare on one model in one revision and on one text; what differs stands in a group of
 * its own, with the reason.
 */
import { labelOf, methods } from '../importance/methods';
import { median } from '../numerics/statistics';
import type { ModelInfo } from './facts';
import type { ModelRecord } from './record';
import { spearman } from './reproduction/tolerance';
import type { ComparisonRow, LatencyResult, PerplexityResult, SpeedUp } from './results';
import type { Scores } from './scores';
import type { TextInfo } from './texts';
import { type Side, sideOf } from './verdict';

/** Most reports of one comparison. */
export const mostReports = 40;

export interface ComparedVariant {
  /** Index of the report. */
  readonly report: number;
  readonly variant: string;
  readonly name: string;
  /** A variant that removes nothing but has weights of its own counts as depth. */
  readonly side: Side;
  readonly repaired: boolean;
  /** Share of the base's parameters that stay, 0…1. */
  readonly kept: number;
  /** Its perplexity over the base's of the same report, by one runtime on the group's text; null where either is missing or not finite. */
  readonly relative: number | null;
  readonly perplexity: number | null;
  /** Against the base, as they were timed. */
  readonly times: readonly (LatencyResult & { readonly speedUp: SpeedUp })[];
}

export interface ComparedGroup {
  readonly model: Pick<ModelInfo, 'id' | 'revision'>;
  /** Null where no report of the group has a perplexity of its base. */
  readonly text: TextInfo | null;
  /** Indices of the reports. */
  readonly reports: readonly number[];
  /** Perplexity of the base by report, on the group's text. */
  readonly bases: ReadonlyMap<number, PerplexityResult>;
  readonly variants: readonly ComparedVariant[];
  /** Why it stands apart from the first group, in a sentence; null for the first one. */
  readonly why: string | null;
}

/** How alike scores of one kind rank the units, over pairs of reports. */
export interface Ranking {
  readonly pairs: number;
  /** Spearman's correlation: of the pair that agrees least, and the middle one. */
  readonly least: number;
  readonly median: number;
}

/** Scores of one criterion in several reports of one model. */
export interface ComparedScores {
  readonly name: string;
  readonly model: Pick<ModelInfo, 'id' | 'revision'>;
  readonly reports: readonly number[];
  /** Of pairs on the same tokens, or without any. */
  readonly sameTokens: Ranking | null;
  /** Of pairs on other tokens: they tell how much the text matters. */
  readonly otherTokens: Ranking | null;
}

export interface Compared {
  /** The group with the most reports first. */
  readonly groups: readonly ComparedGroup[];
  readonly scores: readonly ComparedScores[];
}

const baseId = 'base';
const modelKey = ({ model }: Pick<ModelRecord, 'model'>): string => `${model.id}@${model.revision}`;

export function compareReports(records: readonly ModelRecord[]): Compared {
  const texts = chosenTexts(records);
  const groups = new Map<string, number[]>();
  records.forEach((record, index) => {
    const key = `${modelKey(record)} ${texts[index]?.hash ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), index]);
  });
  const sorted = [...groups.values()].sort((a, b) => b.length - a.length || a[0]! - b[0]!);
  const made = sorted.map((reports): Omit<ComparedGroup, 'why'> => {
    const text = texts[reports[0]!] ?? null;
    const { id, revision } = records[reports[0]!]!.model;
    const bases = new Map<number, PerplexityResult>();
    for (const report of reports) {
      const base = baseOn(records[report]!, text);
      if (base) bases.set(report, base);
    }
    const variants = reports.flatMap((report) => variantsOf(records[report]!, report, text));
    return { model: { id, revision }, text, reports, bases, variants };
  });
  const withReasons = made.map(
    (group, at): ComparedGroup => ({ ...group, why: at === 0 ? null : reasonOf(group, made[0]!) }),
  );
  return { groups: withReasons, scores: comparedScores(records) };
}

/**
 * The text of each report's perplexities: of several, the one that most reports of its model have. A report without a perplexity of
 * its base joins the others of its model: its times compare.
 */
function chosenTexts(records: readonly ModelRecord[]): (TextInfo | null)[] {
  const own = records.map((record) => basesOf(record).map(({ text }) => text));
  const counts = new Map<string, number>();
  records.forEach((record, index) => {
    for (const hash of new Set(own[index]!.map((text) => text.hash))) {
      const key = `${modelKey(record)} ${hash}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  });
  const most = (record: ModelRecord, texts: readonly TextInfo[]): TextInfo | null => {
    const count = ({ hash }: TextInfo): number => counts.get(`${modelKey(record)} ${hash}`) ?? 0;
    return texts.reduce<TextInfo | null>((best, text) => (best && count(best) >= count(text) ? best : text), null);
  };
  return records.map((record, index) => {
    if (own[index]!.length > 0) return most(record, own[index]!);
    const others = records.flatMap((other, at) => (modelKey(other) === modelKey(record) ? own[at]! : []));
    return most(record, others);
  });
}

function basesOf({ comparison }: ModelRecord): PerplexityResult[] {
  const base = comparison.find(({ variant }) => variant === baseId);
  return Object.values(base?.perplexity ?? {}).filter(({ perplexity }) => Number.isFinite(perplexity));
}

const baseOn = (record: ModelRecord, text: TextInfo | null): PerplexityResult | undefined =>
  basesOf(record).find((base) => base.text.hash === text?.hash);

function variantsOf(record: ModelRecord, report: number, text: TextInfo | null): ComparedVariant[] {
  const bases = basesOf(record).filter((base) => base.text.hash === text?.hash);
  return record.comparison.flatMap((row): ComparedVariant[] => {
    if (row.variant === baseId) return [];
    const times = row.latency.flatMap((result) =>
      result.speedUp?.against === baseId && Number.isFinite(result.speedUp.ratio)
        ? [{ ...result, speedUp: result.speedUp }]
        : [],
    );
    return [
      {
        ...{ report, variant: row.variant, name: row.name, side: sideOf(row.plan) ?? 'depth' },
        ...{ repaired: row.recipe.some(({ kind }) => kind === 'repair'), kept: 1 - row.ratio },
        ...relativeOf(row, bases),
        times,
      },
    ];
  });
}

function relativeOf(
  row: ComparisonRow,
  bases: readonly PerplexityResult[],
): Pick<ComparedVariant, 'relative' | 'perplexity'> {
  for (const base of bases) {
    const own = row.perplexity[base.runtime];
    if (!own || own.text.hash !== base.text.hash || own.tokens !== base.tokens) continue;
    if (Number.isFinite(own.perplexity))
      return { relative: own.perplexity / base.perplexity, perplexity: own.perplexity };
  }
  return { relative: null, perplexity: null };
}

function reasonOf(
  { model, text }: Pick<ComparedGroup, 'model' | 'text'>,
  first: Pick<ComparedGroup, 'model' | 'text'>,
): string {
  if (model.id !== first.model.id) {
    return 'Another model: what a cut costs one model says nothing about what it costs another.';
  }
  if (model.revision !== first.model.revision) {
    return `Another revision of the model (${model.revision}, not ${first.model.revision}): its weights differ.`;
  }
  const name = (each: TextInfo | null): string =>
    each ? `${each.sequences} × ${each.seqLen} tokens of '${each.corpus}' (hash ${each.hash})` : 'no text';
  return `Perplexities on other tokens: ${name(text)}, not ${name(first.text)}.`;
}

/** Criteria that read no tokens rank the same whatever the text. */
const readsTokens = (criterion: string): boolean =>
  methods.some(({ id, needs }) => id === criterion && needs === 'gpu');
const isScore = (criterion: string): boolean => methods.some(({ id, kind }) => id === criterion && kind === 'score');
const unitNames = { block: 'blocks', attention: 'attentions', mlp: 'MLPs', half: 'attentions and MLPs' } as const;

function comparedScores(records: readonly ModelRecord[]): ComparedScores[] {
  const kinds = new Map<string, { report: number; scores: Scores }[]>();
  records.forEach((record, report) => {
    for (const scores of record.scores) {
      const { criterion, unit, window: span, options } = scores;
      // A shuffle ranks as its seed says.
      if (!isScore(criterion) || criterion === 'random' || (options?.of ?? baseId) !== baseId) continue;
      const key = JSON.stringify([modelKey(record), criterion, unit, span]);
      const known = kinds.get(key) ?? [];
      if (!known.some((each) => each.report === report)) kinds.set(key, [...known, { report, scores }]);
    }
  });
  return [...kinds.values()].flatMap((found): ComparedScores[] => {
    if (found.length < 2) return [];
    const { criterion, unit, window: span } = found[0]!.scores;
    const same: number[] = [];
    const other: number[] = [];
    for (const [at, a] of found.entries()) {
      for (const b of found.slice(0, at)) {
        if (a.scores.scores.length !== b.scores.scores.length) continue;
        const rank = spearman(a.scores.scores, b.scores.scores);
        const alike = !readsTokens(criterion) || a.scores.calibration.hash === b.scores.calibration.hash;
        (alike ? same : other).push(rank);
      }
    }
    const { id, revision } = records[found[0]!.report]!.model;
    const name = `${labelOf(criterion)}, ${unitNames[unit]}${span > 1 ? `, spans of ${span}` : ''}`;
    const reports = found.map(({ report }) => report);
    return [{ name, model: { id, revision }, reports, sameTokens: rankingOf(same), otherTokens: rankingOf(other) }];
  });
}

const rankingOf = (ranks: readonly number[]): Ranking | null =>
  ranks.length === 0 ? null : { pairs: ranks.length, least: Math.min(...ranks), median: median(ranks) };
