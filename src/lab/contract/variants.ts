/** @file The variants of the open model and what was measured of each: small data, no weights. */

import type { GraphPrecision } from '../../benchmark/precision';
import { LabError } from '../../errors';
import type { ModelShape } from '../../model/shape';
import { applyPlan, estimate } from '../../pruning/apply';
import { checkPlan, emptyPlan, isEmptyPlan, type PruningPlan, removedByKind } from '../../pruning/plan';
import { recipeOf } from '../../pruning/variant';
import type { ComparisonRow, LatencyResult, PerplexityResult } from '../../report/results';
import type { VariantInfo } from './types';

interface Entry {
  info: VariantInfo;
  perplexity: Partial<Record<PerplexityResult['runtime'], PerplexityResult>>;
  latency: LatencyResult[];
}

/** How a variant was made, and what is stored of it. */
type Made = Pick<VariantInfo, 'parent' | 'recipe' | 'patchBytes' | 'patchLost'>;

const ofPlan = (id: string, plan: PruningPlan): Made => ({
  parent: id === 'base' ? null : 'base',
  recipe: recipeOf(plan),
  patchBytes: 0,
});

/** 'without 5, 6', 'without attention 3': what a person calls a plan that was given no name. */
export function describePlan(plan: PruningPlan): string {
  if (isEmptyPlan(plan)) return 'original model';
  const [blocks, attentions, mlps] = removedByKind(plan);
  const parts = [
    blocks.join(', '),
    attentions.length > 0 ? `attention ${attentions.join(', ')}` : '',
    mlps.length > 0 ? `MLP ${mlps.join(', ')}` : '',
  ];
  return `without ${parts.filter((part) => part !== '').join('; ')}`;
}

/** Each is a row of the table, in every snapshot and on the page. */
const mostVariants = 1000;

const isSameTrial = (a: LatencyResult, b: LatencyResult): boolean =>
  a.batch === b.batch &&
  a.runtime === b.runtime &&
  a.promptTokens === b.promptTokens &&
  a.newTokens === b.newTokens &&
  a.device.runtime === b.device.runtime &&
  a.device.adapter === b.device.adapter;

/** Results of versions that had one precision only name none. */
const precisionOf = ({ precision = 'f32' }: LatencyResult): GraphPrecision => precision;

/** Ids that this class gives. */
const ownId = /^v[1-9][0-9]{0,14}$/;

/** Whether a row of a record tells of this variant: made in the same steps, under the same name. */
function isVariantOf(row: ComparisonRow, plan: PruningPlan, info: VariantInfo): boolean {
  if (info.id === 'base' || row.name !== info.name) return false;
  return JSON.stringify([plan, row.recipe]) === JSON.stringify([info.plan, info.recipe]);
}

/** Variants of one model; 'base' is always there. */
export class Variants {
  readonly #model: string;
  readonly #shape: ModelShape;
  readonly #entries = new Map<string, Entry>();
  #next = 1;

  constructor(model: string, shape: ModelShape) {
    this.#model = model;
    this.#shape = shape;
    this.#put('base', 'original model', emptyPlan(model));
  }

  #put(id: string, name: string, plan: PruningPlan, made: Made = ofPlan(id, plan)): VariantInfo {
    const shape = applyPlan(this.#shape, plan);
    const info: VariantInfo = { id, name, plan, ...estimate(this.#shape, shape), shape, ...made };
    this.#entries.set(id, { info, perplexity: {}, latency: [] });
    return info;
  }

  /** The plan in canonical form, if it fits the open model. */
  check(plan: unknown): PruningPlan {
    return checkPlan(plan, this.#model, this.#shape);
  }

  /** A new variant, or the one that has this plan and name already. */
  add(value: unknown, name?: string): VariantInfo {
    const plan = this.check(value);
    const key = JSON.stringify(plan);
    for (const { info } of this.#entries.values()) {
      if (info.id !== 'base' && JSON.stringify(info.plan) === key && (name === undefined || name === info.name))
        return info;
    }
    this.#requireRoom();
    return this.#put(`v${this.#next++}`, name ?? describePlan(plan), plan);
  }

  #requireRoom(): void {
    if (this.#entries.size <= mostVariants) return;
    const message = `variant: ${mostVariants} variants are there already.`;
    throw new LabError('bad-argument', message, 'Discard some with lab.discard(id).');
  }

  list(): VariantInfo[] {
    return [...this.#entries.values()].map(({ info }) => info);
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry) return entry;
    const known = [...this.#entries.keys()].join(', ');
    throw new LabError(
      'not-found',
      `variant: expected one of ${known}, got '${id}'.`,
      'Make it with lab.variant(plan).',
    );
  }

  /** A variant by id. */
  get(id: string): VariantInfo {
    return this.#entry(id).info;
  }

  /** A variant by id, or the shape that a plan gives without being kept. */
  resolve(target: string | PruningPlan): { id: string | null; shape: ModelShape } {
    if (typeof target === 'string') return { id: target, shape: this.#entry(target).info.shape };
    return { id: null, shape: applyPlan(this.#shape, this.check(target)) };
  }

  /** Forgets a variant, and says what it was. */
  discard(id: string): VariantInfo {
    if (id === 'base') {
      throw new LabError(
        'bad-argument',
        "The original model ('base') cannot be discarded.",
        'Discard one of its variants.',
      );
    }
    const { info } = this.#entry(id);
    this.#entries.delete(id);
    return info;
  }

  recordPerplexity(id: string, result: PerplexityResult): void {
    const entry = this.#entries.get(id); // it may have been discarded while it was measured
    if (entry) entry.perplexity[result.runtime] = result;
  }

  /**
   * Keeps the newest result for each batch size and runtime. A speed-up that was measured before stays, where the same was
   * timed again without another variant beside it.
   */
  recordLatency(id: string, results: readonly LatencyResult[]): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const replaced = (old: LatencyResult) =>
      results.some(
        (now) => now.batch === old.batch && now.runtime === old.runtime && precisionOf(now) === precisionOf(old),
      );
    const newest = results.map((now) => {
      const before = entry.latency.find((old) => isSameTrial(old, now));
      return now.speedUp === undefined && before?.speedUp ? { ...now, speedUp: before.speedUp } : now;
    });
    entry.latency = [...entry.latency.filter((old) => !replaced(old)), ...newest];
  }

  /**
   * Makes the variants of a record again, with their numbers. A variant keeps its id, so that whoever holds an id need not
   * know of it. Where another variant of this session has that id already, it gets a new one.
   * @throws LabError 'bad-plan' before anything is restored, where a row is not of this model
   */
  restore(rows: readonly ComparisonRow[]): void {
    const checked = rows.map((row) => ({ row, plan: this.check(row.plan) }));
    const ids = new Map(checked.map(({ row, plan }) => [row.variant, this.#place(row, plan)]));
    for (const { row } of checked) {
      const id = ids.get(row.variant) ?? row.variant;
      const entry = this.#entry(id);
      if (row.parent !== null) entry.info = { ...entry.info, parent: ids.get(row.parent) ?? row.parent };
      for (const result of Object.values(row.perplexity)) this.recordPerplexity(id, result);
      this.recordLatency(
        id,
        row.latency.map(({ speedUp, ...times }) => {
          if (speedUp === undefined) return times;
          return { ...times, speedUp: { ...speedUp, against: ids.get(speedUp.against) ?? speedUp.against } };
        }),
      );
    }
  }

  /** The variant of a row: one that is there already, or a new one. Returns its id. */
  #place(row: ComparisonRow, plan: PruningPlan): string {
    if (row.variant === 'base') return 'base';
    const known = this.#entries.get(row.variant)?.info;
    const same = [known, ...this.list()].find((info) => info !== undefined && isVariantOf(row, plan, info));
    if (same) return same.id;
    const { parent, recipe, patchBytes, patchLost } = row;
    const made = { parent, recipe, patchBytes, ...(patchLost ? { patchLost } : {}) };
    const id = known === undefined && ownId.test(row.variant) ? row.variant : `v${this.#next}`;
    this.#requireRoom();
    this.#next = Math.max(this.#next, Number(id.slice(1)) + 1);
    return this.#put(id, row.name, plan, made).id;
  }

  comparison(): ComparisonRow[] {
    return [...this.#entries.values()].map(({ info, perplexity, latency }) => ({
      variant: info.id,
      name: info.name,
      plan: info.plan,
      parameters: info.parameters,
      ratio: info.ratio,
      layers: info.shape.layers.length,
      parent: info.parent,
      recipe: info.recipe,
      patchBytes: info.patchBytes,
      ...(info.patchLost ? { patchLost: info.patchLost } : {}),
      perplexity: { ...perplexity },
      latency: [...latency],
    }));
  }
}
