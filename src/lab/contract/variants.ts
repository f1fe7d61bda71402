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

  #put(id: string, name: string, plan: PruningPlan): VariantInfo {
    const shape = applyPlan(this.#shape, plan);
    const parent = id === 'base' ? null : 'base';
    const facts = { parent, recipe: recipeOf(plan), patchBytes: 0 };
    const info: VariantInfo = { id, name, plan, ...estimate(this.#shape, shape), shape, ...facts };
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
    if (this.#entries.size > mostVariants) {
      const message = `variant: ${mostVariants} variants are there already.`;
      throw new LabError('bad-argument', message, 'Discard some with lab.discard(id).');
    }
    return this.#put(`v${this.#next++}`, name ?? describePlan(plan), plan);
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

  /** Makes the variants of kept rows again, with their numbers. Rows that do not fit the model are refused whole. */
  restore(rows: readonly ComparisonRow[]): void {
    for (const row of rows) {
      const id = row.variant === 'base' ? 'base' : this.add(row.plan, row.name).id;
      for (const result of Object.values(row.perplexity)) this.recordPerplexity(id, result);
      this.recordLatency(id, row.latency);
    }
  }

  /** Makes the variants of another worker's rows again under their ids, so that those who hold an id need not know. */
  resume(rows: readonly ComparisonRow[]): void {
    for (const { variant, name, plan, perplexity, latency } of rows) {
      if (variant !== 'base') this.#put(variant, name, this.check(plan));
      for (const result of Object.values(perplexity)) this.recordPerplexity(variant, result);
      this.recordLatency(variant, latency);
      this.#next = Math.max(this.#next, Number(variant.slice(1)) + 1 || 1);
    }
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
      perplexity: { ...perplexity },
      latency: [...latency],
    }));
  }
}
