/**
 * @file The table of the open model's variants by their ids: what each is, its weights, and what was measured of it.
 *
 * No id is given twice, not even that of a variant that is gone: everything about a variant is keyed by its id.
 */
import { LabError } from '../../errors';
import type { ModelShape } from '../../model/shape';
import { baseViewId, type ModelView } from '../../model/view';
import type { WeightSource } from '../../model/weights';
import { estimate } from '../../pruning/apply';
import { withoutPatch, withPatch } from '../../pruning/build';
import type { Weighted } from '../../pruning/cuts';
import { emptyPlan, type PruningPlan } from '../../pruning/plan';
import { patchOf, type Step, type Variant } from '../../pruning/variant';
import type { KeptAdapter } from '../../retrain/keptAdapter';
import type { CheckedPatch, PatchTarget } from '../../weights/patchFile';
import type { VariantInfo } from '../contract/types';
import { VariantNumbers } from './variantNumbers';

/** The model that variants are made of. */
export interface VariantBase {
  readonly id: string;
  readonly revision: string;
  readonly shape: ModelShape;
  readonly weights: WeightSource;
}

/** A variant and what hangs on it. */
export interface VariantEntry {
  readonly variant: Variant;
  readonly info: VariantInfo;
  readonly numbers: VariantNumbers;
  /** Its own tensors, where they are stored. */
  readonly patch: CheckedPatch | null;
  /** The factors of the LoRA training that made it, where they are stored. */
  readonly adapter: KeptAdapter | null;
}

/** What a variant is made of. */
export interface VariantParts {
  readonly id: string;
  readonly name: string;
  readonly plan: PruningPlan;
  readonly recipe: readonly Step[];
  /** Null for the base alone. */
  readonly parent: string | null;
}

/** Each is a row of the table, in every record and on the page. */
const mostVariants = 1000;

export class VariantTable {
  readonly #base: VariantBase;
  readonly #cut: (plan: PruningPlan) => Weighted;
  readonly #entries = new Map<string, VariantEntry>();
  #next = 1;

  /** The table with the base in it. `cut` answers what a plan leaves of the base, the same weights for the same plan. */
  constructor(base: VariantBase, cut: (plan: PruningPlan) => Weighted) {
    this.#base = base;
    this.#cut = cut;
    this.put({ id: baseViewId, name: 'original model', plan: emptyPlan(base.id), recipe: [], parent: null }, null);
  }

  /** More than the number of any variant that is or was here. */
  get next(): number {
    return this.#next;
  }

  /** A number that is not less than the given one and that nobody had; nobody gets it again. */
  takeNumber(atLeast: number): number {
    const number = Math.max(atLeast, this.#next);
    this.#next = number + 1;
    return number;
  }

  /** What a patch of a variant is fitted to. */
  target(plan: PruningPlan, recipe: readonly Step[]): PatchTarget {
    const { shape, weights } = this.#base;
    return { base: { shape, weights }, parent: withoutPatch(this.#base, plan, recipe, this.#cut(plan)) };
  }

  /** Lists a variant under its id. */
  put(parts: VariantParts, patch: CheckedPatch | null, adapter: KeptAdapter | null = null): VariantInfo {
    const { id, name, plan, recipe, parent } = parts;
    const view: ModelView = { id, ...withPatch(withoutPatch(this.#base, plan, recipe, this.#cut(plan)), patch) };
    return this.#enter({ id, name, parent, recipe, view }, plan, patch, adapter);
  }

  /** A variant whose own weights are no longer stored: it is listed and cannot be run. */
  putLost({ id, name, plan, recipe, parent }: VariantParts): VariantInfo {
    const missing = (): never => {
      throw patchLost(id);
    };
    const weights: WeightSource = { layerTensor: missing, modelTensor: missing, read: missing, file: missing };
    const view = { id, shape: this.#cut(plan).shape, weights };
    return this.#enter({ id, name, parent, recipe, view }, plan, null, null, true);
  }

  #enter(
    variant: Variant,
    plan: PruningPlan,
    patch: CheckedPatch | null,
    adapter: KeptAdapter | null,
    lost = false,
  ): VariantInfo {
    const { id, name, parent, recipe, view } = variant;
    const { shape } = view;
    const patchBytes = lost ? 0 : (patchOf(recipe)?.bytes ?? 0);
    const info: VariantInfo = {
      ...{ id, name, plan, ...estimate(this.#base.shape, shape), shape, parent, recipe, patchBytes },
      ...(lost ? { patchLost: true } : {}),
      ...(adapter ? { hasAdapter: true } : {}),
    };
    this.#entries.set(id, { variant, info, numbers: new VariantNumbers(), patch, adapter });
    this.#next = Math.max(this.#next, (numberOf(id) ?? 0) + 1);
    return info;
  }

  remove(id: string): void {
    this.#entries.delete(id);
  }

  /** The entry of a variant that may be gone. */
  known(id: string): VariantEntry | undefined {
    return this.#entries.get(id);
  }

  /** The base, then the variants in the order in which they were made. */
  inOrder(): VariantEntry[] {
    const number = ({ info }: VariantEntry): number => numberOf(info.id) ?? 0;
    return [...this.#entries.values()].sort((a, b) => number(a) - number(b));
  }

  /** The entry of a variant. Throws 'not-found' where there is none. */
  entry(id: string): VariantEntry {
    const entry = this.#entries.get(id);
    if (entry) return entry;
    const known = [...this.#entries.keys()].join(', ');
    throw new LabError(
      'not-found',
      `variant: expected one of ${known}, got '${id}'.`,
      'Make it with lab.variant(plan).',
    );
  }

  /** The view of an entry. Throws 'not-found' where its own weights are no longer stored. */
  view(id: string): ModelView {
    const { variant, info } = this.entry(id);
    if (info.patchLost) throw patchLost(id);
    return variant.view;
  }

  /** The first variant that fits, the base included. */
  find(fits: (entry: VariantEntry) => boolean): VariantInfo | null {
    for (const entry of this.#entries.values()) if (fits(entry)) return entry.info;
    return null;
  }

  /** Throws where the table is full. */
  refuseMore(): void {
    if (this.#entries.size <= mostVariants) return;
    const message = `variant: expected at most ${mostVariants} variants.`;
    throw new LabError('bad-argument', message, 'Discard some with lab.discard(id).');
  }
}

/** The number in an id that the laboratory gave; null for any other text. */
export function numberOf(id: string): number | null {
  const digits = /^v([1-9]\d{0,8})$/.exec(id)?.[1];
  return digits === undefined ? null : Number(digits);
}

function patchLost(id: string): LabError {
  return new LabError(
    'not-found',
    `The weights of variant '${id}' are no longer stored in this browser: its numbers are what was measured of it before.`,
    'Make it again with lab.variant(plan, { patch }), or discard it.',
  );
}
