/**
 * @file What each way of retraining won back, and which way suffices at which ratio. Pure; only perplexities on the same tokens are
 * compared.
 */
import { samePlan } from '../pruning/plan';
import type { RetrainMethod, RetrainStep, Step } from '../pruning/variant';
import type { ComparisonRow, PerplexityResult, Runtime } from './results';

/** A variant by its trainings; 'pruned' has had none. */
export type Training = 'pruned' | RetrainMethod;

export const trainingOrder: readonly Training[] = ['pruned', 'lora', 'full', 'full+lora', 'distill'];

export interface RetrainedVariant {
  /** Id of the variant. */
  readonly variant: string;
  readonly name: string;
  readonly training: Training;
  readonly scored: PerplexityResult;
  readonly perplexity: number;
  /** Share of the loss that pruning cost and training won back: 1 is the base's loss. Null where pruning cost nothing. */
  readonly recovered: number | null;
  /** Of all its trainings; null where its recipe does not tell. */
  readonly steps: number;
  readonly tokens: number | null;
  readonly seconds: number | null;
}

/** A pruned variant with what trainings made of it. */
export interface RetrainedGroup {
  /** Id of the pruned variant, or of the first trained one where the pruned one is gone. */
  readonly key: string;
  readonly plan: ComparisonRow['plan'];
  /** Share of the parameters that is removed, 0…1. */
  readonly ratio: number;
  /** In the order of `trainingOrder`, the lowest perplexity first within a training. */
  readonly variants: readonly RetrainedVariant[];
}

const runtimes: readonly Runtime[] = ['wgsl', 'ort-webgpu', 'ort-wasm'];

const trainingsOf = (recipe: readonly Step[]): RetrainStep[] =>
  recipe.flatMap((step) => (step.kind === 'retrain' ? [step] : []));

/** How a recipe trains: full training and low-rank factors one after the other count as both. */
export function trainingOf(recipe: readonly Step[]): Training {
  const methods = trainingsOf(recipe).map(({ method }) => method);
  const last = methods.at(-1) ?? 'pruned';
  return last === 'lora' && methods.some((each) => each === 'full' || each === 'full+lora') ? 'full+lora' : last;
}

/** A row's perplexity on these tokens; null accepts any. */
function scoreOf(row: ComparisonRow, text: string | null): PerplexityResult | null {
  const found = runtimes.flatMap((runtime) => row.perplexity[runtime] ?? []);
  return found.find((result) => text === null || result.text.hash === text) ?? null;
}

/**
 * Groups of at least one trained variant, by ratio. `text`: hash of the tokens that all perplexities are measured on; null takes those
 * that the base's is measured on. `base`: the base's perplexity where its row has none.
 */
export function retrainedGroups(
  rows: readonly ComparisonRow[],
  text: string | null,
  base: PerplexityResult | null = null,
): RetrainedGroup[] {
  const ofBase = baseScore(rows, text, base);
  const tokens = text ?? ofBase?.text.hash ?? null;
  const byId = new Map(rows.map((row) => [row.variant, row]));
  const groups = new Map<string, { root: ComparisonRow; rows: ComparisonRow[] }>();
  for (const row of rows) {
    if (trainingOf(row.recipe) === 'pruned') continue;
    const root = prunedOf(row, byId, rows);
    const key = root?.variant ?? [...groups].find(([, group]) => samePlan(group.root.plan, row.plan))?.[0];
    const group = groups.get(key ?? row.variant) ?? { root: root ?? row, rows: root && !isBase(root) ? [root] : [] };
    group.rows.push(row);
    groups.set(key ?? row.variant, group);
  }
  return [...groups]
    .map(([key, { root, rows: members }]): RetrainedGroup => {
      const pruned = isBase(root) ? ofBase : trainingOf(root.recipe) === 'pruned' ? scoreOf(root, tokens) : null;
      const variants = members.flatMap((row) => variantOf(row, tokens, pruned, ofBase) ?? []);
      return { key, plan: root.plan, ratio: root.ratio, variants: variants.sort(inOrder) };
    })
    .filter(({ variants }) => variants.some(({ training }) => training !== 'pruned'))
    .sort((a, b) => a.ratio - b.ratio);
}

const isBase = ({ variant }: ComparisonRow): boolean => variant === 'base';

/** The base's perplexity on these tokens. */
export function baseScore(
  rows: readonly ComparisonRow[],
  text: string | null,
  known: PerplexityResult | null,
): PerplexityResult | null {
  const row = rows.find(isBase);
  const found = row ? scoreOf(row, text) : null;
  return found ?? (known && (text === null || known.text.hash === text) ? known : null);
}

const inOrder = (a: RetrainedVariant, b: RetrainedVariant): number =>
  trainingOrder.indexOf(a.training) - trainingOrder.indexOf(b.training) || a.perplexity - b.perplexity;

/** The variant before its first training: an ancestor, or any with the same plan and the base's weights. */
function prunedOf(
  row: ComparisonRow,
  byId: ReadonlyMap<string, ComparisonRow>,
  rows: readonly ComparisonRow[],
): ComparisonRow | null {
  const seen = new Set<string>();
  for (let at: ComparisonRow | undefined = row; at && !seen.has(at.variant); at = byId.get(at.parent ?? '')) {
    seen.add(at.variant);
    if (trainingOf(at.recipe) === 'pruned') return samePlan(at.plan, row.plan) ? at : null;
  }
  const isPlain = ({ recipe, plan }: ComparisonRow): boolean =>
    recipe.every(({ kind }) => kind === 'prune') && samePlan(plan, row.plan);
  return rows.find(isPlain) ?? null;
}

function variantOf(
  row: ComparisonRow,
  tokens: string | null,
  pruned: PerplexityResult | null,
  base: PerplexityResult | null,
): RetrainedVariant | null {
  const scored = scoreOf(row, tokens);
  if (!scored || !Number.isFinite(scored.perplexity)) return null;
  const steps = trainingsOf(row.recipe);
  const sum = (of: (step: RetrainStep) => number | undefined): number | null => {
    const values = steps.flatMap((step) => of(step) ?? []);
    return steps.length > 0 && values.length === steps.length ? values.reduce((a, b) => a + b, 0) : null;
  };
  return {
    ...{ variant: row.variant, name: row.name, training: trainingOf(row.recipe), scored },
    perplexity: scored.perplexity,
    recovered: steps.length > 0 ? recoveredShare(pruned, scored, base) : null,
    steps: sum(({ steps: made }) => made) ?? 0,
    tokens: sum((step) => step.tokens),
    seconds: sum((step) => step.seconds),
  };
}

function recoveredShare(
  pruned: PerplexityResult | null,
  trained: PerplexityResult,
  base: PerplexityResult | null,
): number | null {
  if (!pruned || !base) return null;
  const lost = pruned.meanNll - base.meanNll;
  return lost > 0.001 && Number.isFinite(lost) ? (pruned.meanNll - trained.meanNll) / lost : null;
}

/** The best variant of a training in a group. */
export function bestOf({ variants }: RetrainedGroup, training: Training): RetrainedVariant | null {
  return variants.find((each) => each.training === training) ?? null;
}

/** Two perplexities this near count as equal: 2 %. */
const near = 1.02;

export interface Finding {
  readonly group: RetrainedGroup;
  readonly lora: number;
  readonly full: number;
  /** LoRA reaches what training all weights reaches, to 2 %; or training all weights is better by more. */
  readonly winner: 'lora' | 'full';
}

/** LoRA against continued pretraining, in every group that has both; by ratio. */
export function findingsOf(groups: readonly RetrainedGroup[]): Finding[] {
  return groups.flatMap((group) => {
    const [lora, full] = [bestOf(group, 'lora')?.perplexity, bestOf(group, 'full')?.perplexity];
    if (lora === undefined || full === undefined) return [];
    return [{ group, lora, full, winner: lora <= full * near ? ('lora' as const) : ('full' as const) }];
  });
}

export interface RetrainingVerdict {
  /** Null where there are not two ratios to compare. */
  readonly shown: boolean | null;
  readonly text: string;
}

const percent = (share: number): string => `${Math.round(share * 1000) / 10}%`;
const number = (value: number): string => (value < 1e4 ? value.toPrecision(4) : String(Math.round(value)));

/** What the numbers say about the paper's finding: LoRA suffices at a mild ratio, continued pretraining wins at a severe one. */
export function retrainingVerdict(groups: readonly RetrainedGroup[]): RetrainingVerdict | null {
  const findings = findingsOf(groups);
  const [mild, severe] = [findings[0], findings.at(-1)];
  if (!mild || !severe) return null;
  const said = (finding: Finding): string => {
    const { group, lora, full, winner } = finding;
    const values =
      winner === 'lora'
        ? `LoRA suffices, with a perplexity of ${number(lora)} against ${number(full)} by continued pretraining`
        : `continued pretraining wins, with a perplexity of ${number(full)} against ${number(lora)} by LoRA`;
    return `with ${percent(group.ratio)} of the parameters removed ${values}`;
  };
  const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`;
  if (mild === severe || mild.group.ratio === severe.group.ratio) return { shown: null, text: sentence(said(mild)) };
  const shown = mild.winner === 'lora' && severe.winner === 'full';
  if (shown) return { shown, text: `${sentence(said(mild)).slice(0, -1)}; ${said(severe)}.` };
  return {
    shown,
    text: `These numbers do not show that continued pretraining wins only at the severe ratio: ${said(mild)}; ${said(severe)}.`,
  };
}
