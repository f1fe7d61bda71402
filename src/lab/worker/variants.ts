/**
 * @file The variants of the open model: their recipes, their views, and what was measured of each.
 *
 * Two variants may have equal shapes and other weights: numbers, views and sessions belong to an id. A variant's own tensors are
 * stored as a patch before the variant is there, so that it survives a reload.
 */
import { LabError } from '../../errors';
import { baseViewId, type ModelView } from '../../model/view';
import { describePlan } from '../../pruning/describe';
import { checkPlan, emptyPlan, isEmptyPlan, type PruningPlan, samePlan } from '../../pruning/plan';
import type { RepairMethod } from '../../pruning/repairMethods';
import {
  hasBaseWeights,
  type PatchFacts,
  patchOf,
  recipeOf,
  rescalingsOf,
  type Step,
  sameWeights,
  withoutPatches,
  withPatchStep,
} from '../../pruning/variant';
import type { Draft, Next } from '../../repair/advance';
import type { ComparisonRow, LatencyResult, PerplexityResult, TaskResult } from '../../report/results';
import type { TrainingCurves } from '../../report/trainingCurves';
import type { KeptAdapter } from '../../retrain/keptAdapter';
import type { PatchStore, StoredPatch } from '../../shards/store/patchStore';
import type { TaskOptions } from '../../task';
import { type CheckedPatch, checkPatch, openPatch } from '../../weights/patchFile';
import type { VariantInfo } from '../contract/types';
import { PlanViews } from './planViews';
import { numberOf, type VariantBase, VariantTable } from './variantTable';

/** Where the patches of variants are kept. */
export type Patches = Pick<PatchStore, 'list' | 'add' | 'remove' | 'nextNumber' | 'raiseNumber'>;

/** What becomes of views: the sessions and weights that hang on them go along. */
export interface ViewListener {
  /** A view is not asked for any more. */
  gone(view: ModelView): void;
  /** A variant that was unlisted is a listed one now: what was opened for it stays. */
  renamed(from: ModelView, to: ModelView): void;
}

/** What a stored patch says of its variant. Earlier versions stored no recipe: the patch was the only step after the plan. */
interface About {
  readonly name: string;
  readonly plan: PruningPlan;
  readonly parent?: string;
  /** From the base on; the last step that has a patch is the stored one. */
  readonly recipe?: readonly Step[];
  /** Of a variant that a training made. */
  readonly training?: TrainingCurves;
  readonly adapter?: KeptAdapter;
}

/** A variant to be made from another one. */
export interface Made extends Next {
  readonly name: string;
  /** Id of the variant that it is made from. */
  readonly parent: string;
  /** The curves of the training that made it. */
  readonly training?: TrainingCurves;
  /** The factors of the LoRA training that made it, which are merged into its weights. */
  readonly adapter?: KeptAdapter;
}

const noListener: ViewListener = { gone: () => undefined, renamed: () => undefined };

export class Variants {
  readonly #base: VariantBase;
  readonly #patches: Patches;
  readonly #listener: ViewListener;
  readonly #plans: PlanViews;
  readonly #table: VariantTable;

  private constructor(base: VariantBase, patches: Patches, listener: ViewListener) {
    this.#base = base;
    this.#patches = patches;
    this.#listener = listener;
    this.#plans = new PlanViews(base, (view) => listener.gone(view));
    this.#table = new VariantTable(base, (plan) => this.#plans.cut(plan));
  }

  /** The base, and the variants whose own weights are stored. */
  static async open(base: VariantBase, patches: Patches, listener: ViewListener = noListener): Promise<Variants> {
    const variants = new Variants(base, patches, listener);
    for (const patch of await patches.list(base)) await variants.#reopen(patch);
    return variants;
  }

  /** Makes the variant of a stored patch again. One that does not fit its model any more is listed and cannot be run. */
  async #reopen({ variant, about, sha256, blob }: StoredPatch): Promise<void> {
    const stored = (about ?? {}) as Partial<About>;
    const { name = variant, plan: said, recipe: told, parent = baseViewId, training, adapter } = stored;
    let plan = emptyPlan(this.#base.id);
    let recipe: readonly Step[] = [];
    try {
      plan = this.check(said);
      recipe = told ?? recipeOf(plan);
      const patch = await openPatch(blob, sha256, this.#table.target(plan, recipe));
      const parts = { id: variant, name: String(name), plan, recipe: withPatchFacts(recipe, patch), parent };
      this.#table.put(parts, patch, adapter);
      if (training) this.recordTraining(variant, training);
    } catch (thrown) {
      console.warn(`The stored weights of ${variant} cannot be used.`, thrown);
      const lost: PatchFacts = { sha256, bytes: blob.size, tensors: [] };
      const parts = { id: variant, name: String(name), plan, parent };
      this.#table.putLost({ ...parts, recipe: [...recipe, { kind: 'patch', ...lost }] });
    }
  }

  /** The plan in canonical form, if it fits the open model. */
  check(plan: unknown): PruningPlan {
    return checkPlan(plan, this.#base.id, this.#base.shape);
  }

  /** A new variant, or the one that has this plan and name already and the base's weights. */
  async add(value: unknown, name?: string): Promise<VariantInfo> {
    const plan = this.check(value);
    const known = this.#findPlan(plan, name);
    if (known) return known;
    this.#table.refuseMore();
    const number = await this.#nextNumber();
    // Another call may have made it while this one waited for a number.
    const meanwhile = this.#findPlan(plan, name);
    if (meanwhile) return meanwhile;
    const called = name ?? describePlan(plan, this.#base.shape);
    const parts = { id: `v${number}`, name: called, plan, recipe: recipeOf(plan), parent: baseViewId };
    const info = this.#table.put(parts, null);
    const unlisted = this.#plans.take(plan);
    if (unlisted) this.#listener.renamed(unlisted, this.view(info.id));
    return info;
  }

  /** A new variant with weights of its own, which are stored before it is there. */
  async addPatched(value: unknown, patch: Blob, name?: string, task: TaskOptions = {}): Promise<VariantInfo> {
    const plan = this.check(value);
    this.#table.refuseMore();
    const recipe = recipeOf(plan);
    const checked = await checkPatch(patch, this.#table.target(plan, recipe), task);
    const called = name ?? `${describePlan(plan, this.#base.shape)}, patched`;
    const step: Step = { kind: 'patch', ...factsOf(checked) };
    return this.#store({ name: called, plan, recipe: [...recipe, step], parent: baseViewId }, checked);
  }

  /** The variant that was made from another one. The one that was made in the same way before is answered again. */
  async addMade(made: Made, task: TaskOptions = {}): Promise<VariantInfo> {
    const { plan, recipe, patch, justMade, name, parent, training, adapter } = made;
    this.#table.refuseMore();
    const checked = patch && (await checkPatch(patch, this.#table.target(plan, recipe), task));
    // Tensors that came out as those of the plan and the factors are no tensors of its own.
    const own = checked === null || checked.fitted.tensors.length === 0 ? null : checked;
    const isPlain = own === null && !justMade && rescalingsOf(recipe).length === 0;
    const unpatched = isPlain ? recipeOf(plan) : withoutPatches(recipe);
    const whole = own === null ? unpatched : withPatchStep(recipe, factsOf(own), justMade);
    const known = this.#findSame(plan, name, whole);
    if (known) return known;
    const about = {
      ...{ name, plan, recipe: whole, parent },
      ...(training && { training }),
      ...(adapter && { adapter }),
    };
    if (own !== null) return this.#store(about, own);
    const id = `v${await this.#nextNumber()}`;
    const info = this.#table.put({ id, name, plan, recipe: whole, parent }, null);
    if (training) this.recordTraining(info.id, training);
    return info;
  }

  async #store(about: About & Required<Pick<About, 'parent' | 'recipe'>>, checked: CheckedPatch): Promise<VariantInfo> {
    const { sha256, blob } = checked;
    const entry = { about, sha256, blob, name: (number: number) => `v${number}` };
    const { variant } = await this.#patches.add(this.#base, entry, this.#table.next);
    const info = this.#table.put({ id: variant, ...about }, checked, about.adapter);
    if (about.training) this.recordTraining(variant, about.training);
    return info;
  }

  /** The variant that was made in this way under this name. */
  #findSame(plan: PruningPlan, name: string, recipe: readonly Step[]): VariantInfo | null {
    const same = (info: VariantInfo): boolean => info.name === name && samePlan(info.plan, plan);
    return this.#table.find(({ info }) => same(info) && sameWeights(info.recipe, recipe) && !info.patchLost);
  }

  /** The variant of a plan that has the base's weights. */
  #findPlan(plan: PruningPlan, name?: string): VariantInfo | null {
    return this.#table.find(({ info }) => {
      const fits = info.id !== baseViewId && (name === undefined || name === info.name);
      return fits && hasBaseWeights(info.recipe) && samePlan(info.plan, plan);
    });
  }

  /** A number that no variant of the stored model had. Where the storage fails, no variant of this session. */
  async #nextNumber(): Promise<number> {
    const { next } = this.#table;
    const number = await this.#patches.nextNumber(this.#base, next).catch((thrown: unknown) => {
      console.warn('The number of a variant could not be stored.', thrown);
      return next;
    });
    return this.#table.takeNumber(number);
  }

  list(): VariantInfo[] {
    return this.#table.inOrder().map(({ info }) => info);
  }

  /** A variant by id. */
  get(id: string): VariantInfo {
    return this.#table.entry(id).info;
  }

  /** The shape and weights of a variant. Throws 'not-found' for one whose own weights are no longer stored. */
  view(id: string): ModelView {
    return this.#table.view(id);
  }

  /** The variant of this name that a repair made of a parent on the same text. */
  findRepaired(
    plan: PruningPlan,
    name: string,
    parent: string,
    method: RepairMethod,
    hash: string,
  ): VariantInfo | null {
    return this.#table.find(({ info }) => {
      const last = info.recipe.at(-1);
      const sameRepair = last?.kind === 'repair' && last.method === method && last.text.hash === hash;
      const sameParent = info.name === name && info.parent === parent && samePlan(info.plan, plan);
      return sameRepair && sameParent && !info.patchLost;
    });
  }

  /** The factors of the LoRA training that made a variant; null where none are stored. */
  adapter(id: string): KeptAdapter | null {
    return this.#table.entry(id).adapter;
  }

  /** What goes on from a variant. One that has the base's weights goes on as the base: its plan says all. */
  draft(id: string): Draft {
    const { info, patch } = this.#table.entry(id);
    const model = this.view(hasBaseWeights(info.recipe) ? baseViewId : id);
    if (hasBaseWeights(info.recipe)) return { plan: emptyPlan(this.#base.id), recipe: [], model, own: [] };
    return { plan: info.plan, recipe: info.recipe, model, own: patch?.fitted.tensors ?? [] };
  }

  /** The view of a variant by its id, or of what a plan leaves of the base; `id` names the row that numbers belong to, if there is one. */
  resolve(target: string | PruningPlan): { id: string | null; view: ModelView } {
    if (typeof target === 'string') return { id: target, view: this.view(target) };
    const plan = this.check(target);
    const listed = isEmptyPlan(plan) ? this.get(baseViewId) : this.#findPlan(plan);
    return { id: null, view: listed ? this.view(listed.id) : this.#plans.unlisted(plan) };
  }

  /** Forgets a variant at once, and its own weights in the storage. */
  async discard(id: string): Promise<void> {
    if (id === baseViewId) {
      throw new LabError(
        'bad-argument',
        "The original model ('base') cannot be discarded.",
        'Discard one of its variants.',
      );
    }
    const { variant } = this.#table.entry(id);
    this.#table.remove(id);
    this.#listener.gone(variant.view);
    if (patchOf(variant.recipe)) await this.#patches.remove(this.#base, id);
  }

  recordPerplexity(id: string, result: PerplexityResult): void {
    this.#table.known(id)?.numbers.recordPerplexity(result); // it may have been discarded while it was measured
  }

  recordTraining(id: string, curves: TrainingCurves): void {
    this.#table.known(id)?.numbers.recordTraining(curves);
  }

  recordTask(id: string, result: TaskResult): void {
    this.#table.known(id)?.numbers.recordTask(result);
  }

  recordLatency(id: string, results: readonly LatencyResult[]): void {
    this.#table.known(id)?.numbers.recordLatency(results);
  }

  /**
   * Makes the variants of saved rows again, with their numbers and under their ids. A row whose id belongs to another variant gets
   * a new one; a row whose own weights are no longer stored keeps its numbers and says so. Rows that do not fit the model are refused whole.
   */
  async restore(rows: readonly ComparisonRow[]): Promise<void> {
    const plans = rows.map(({ plan }) => this.check(plan));
    const ids = new Map<string, string>();
    for (const [at, row] of rows.entries()) ids.set(row.variant, this.#restoreVariant(row, plans[at]!, ids));
    for (const row of rows) {
      const id = ids.get(row.variant) ?? row.variant;
      for (const result of Object.values(row.perplexity)) this.recordPerplexity(id, result);
      for (const result of row.tasks ?? []) this.recordTask(id, result);
      if (row.training) this.recordTraining(id, row.training);
      this.recordLatency(
        id,
        row.latency.map((result) => renamed(result, ids)),
      );
    }
    // Other tabs must not give these numbers to other variants; where they cannot be told, this tab still does not.
    await this.#patches.raiseNumber(this.#base, this.#table.next).catch(() => undefined);
  }

  /** The id of a row's variant, which is there afterwards. */
  #restoreVariant(row: ComparisonRow, plan: PruningPlan, ids: ReadonlyMap<string, string>): string {
    if (row.variant === baseViewId) return baseViewId;
    const patch = patchOf(row.recipe);
    const here = this.#table.known(row.variant)?.info;
    if (here && samePlan(here.plan, plan) && sameWeights(here.recipe, row.recipe)) return here.id;
    const known = patch ? null : this.#findSame(plan, row.name, row.recipe);
    if (known) return known.id;
    const free = here === undefined && numberOf(row.variant) !== null;
    const id = free ? row.variant : `v${this.#table.next}`;
    this.#table.refuseMore();
    const parent = row.parent === null ? baseViewId : (ids.get(row.parent) ?? row.parent);
    const parts = { id, name: row.name, plan, recipe: row.recipe, parent };
    if (patch) this.#table.putLost(parts);
    else this.#table.put(parts, null);
    return id;
  }

  comparison(): ComparisonRow[] {
    return this.#table.inOrder().map(({ info, numbers }) => {
      const { id, name, plan, parameters, ratio, shape, parent, recipe, patchBytes } = info;
      return {
        variant: id,
        ...{ name, plan, parameters, ratio, layers: shape.layers.length, parent, recipe, patchBytes },
        ...(info.patchLost ? { patchLost: true } : {}),
        ...numbers.rowPart(),
      };
    });
  }
}

function factsOf({ sha256, blob, fitted }: CheckedPatch): PatchFacts {
  const tensors = fitted.tensors.map(({ tensor: { name, dtype, dims } }) => ({ name, dtype, dims }));
  return { sha256, bytes: blob.size, tensors };
}

/** A recipe whose last patch is the given one. */
function withPatchFacts(recipe: readonly Step[], patch: CheckedPatch): readonly Step[] {
  return patchOf(recipe) === null ? [...recipe, { kind: 'patch', ...factsOf(patch) }] : recipe;
}

/** A result whose speed-up names the other variant by its id here. */
function renamed(result: LatencyResult, ids: ReadonlyMap<string, string>): LatencyResult {
  const { speedUp } = result;
  const against = speedUp && ids.get(speedUp.against);
  return speedUp && against !== undefined ? { ...result, speedUp: { ...speedUp, against } } : result;
}
