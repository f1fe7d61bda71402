/**
 * @file The variants of the open model: their recipes, their views, and what was measured of each.
 *
 * Everything about a variant is keyed by its id, which no other variant of the stored model ever gets: two variants may have equal
 * shapes and other weights. A plan that is measured without being kept stands for an unlisted variant with an id of its own.
 */
import { LabError } from '../../errors';
import type { ModelShape } from '../../model/shape';
import { baseViewId, type ModelView } from '../../model/view';
import type { WeightSource } from '../../model/weights';
import { estimate } from '../../pruning/apply';
import { withoutPatch, withPatch } from '../../pruning/build';
import { pruned, type Weighted } from '../../pruning/cuts';
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
  type Variant,
  withoutPatches,
  withPatchStep,
} from '../../pruning/variant';
import { Recent } from '../../recent';
import type { Draft, Next } from '../../repair/advance';
import type { ComparisonRow, LatencyResult, PerplexityResult } from '../../report/results';
import type { TrainingCurves } from '../../report/trainingCurves';
import type { KeptAdapter } from '../../retrain/keptAdapter';
import type { PatchStore, StoredPatch } from '../../shards/store/patchStore';
import type { TaskOptions } from '../../task';
import { type CheckedPatch, checkPatch, openPatch, type PatchTarget } from '../../weights/patchFile';
import type { VariantInfo } from '../contract/types';
import { VariantNumbers } from './variantNumbers';

/** The model that variants are made of. */
export interface VariantBase {
  readonly id: string;
  readonly revision: string;
  readonly shape: ModelShape;
  readonly weights: WeightSource;
}

/** Where the patches of variants are kept. */
export type Patches = Pick<PatchStore, 'list' | 'add' | 'remove' | 'nextNumber' | 'raiseNumber'>;

/** What becomes of views: the sessions and weights that hang on them go along. */
export interface ViewListener {
  /** A view is not asked for any more. */
  gone(view: ModelView): void;
  /** A variant that was unlisted is a listed one now: what was opened for it stays. */
  renamed(from: ModelView, to: ModelView): void;
}

interface Entry {
  readonly variant: Variant;
  readonly info: VariantInfo;
  readonly numbers: VariantNumbers;
  /** Its own tensors, where they are stored. */
  readonly patch: CheckedPatch | null;
  /** The factors of the LoRA training that made it, where they are stored. */
  readonly adapter: KeptAdapter | null;
}

/** A plan that is measured without being kept. */
interface Unlisted {
  readonly plan: PruningPlan;
  readonly view: ModelView;
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

/** Each is a row of the table, in every record and on the page. */
const mostVariants = 1000;
/** Unlisted variants that are remembered: a user edits one plan, a script asks for many. */
const mostUnlisted = 16;

const noListener: ViewListener = { gone: () => undefined, renamed: () => undefined };

export class Variants {
  readonly #base: VariantBase;
  readonly #patches: Patches;
  readonly #listener: ViewListener;
  readonly #entries = new Map<string, Entry>();
  /** By their ids. They have the base's weights, so that the plan says all of them. */
  readonly #unlisted = new Recent<string, Unlisted>(mostUnlisted);
  /** What plans leave of the base, for the plans that were last asked for. */
  readonly #cuts = new Recent<number, { readonly plan: PruningPlan; readonly cut: Weighted }>(mostUnlisted);
  #nextCut = 1;
  /** More than the number of any variant that is or was here. */
  #next = 1;
  #nextUnlisted = 1;

  private constructor(base: VariantBase, patches: Patches, listener: ViewListener) {
    this.#base = base;
    this.#patches = patches;
    this.#listener = listener;
    this.#put(baseViewId, 'original model', emptyPlan(base.id), [], null);
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
      const patch = await openPatch(blob, sha256, this.#target(plan, recipe));
      this.#put(variant, String(name), plan, withPatchFacts(recipe, patch), patch, parent, adapter);
      if (training) this.recordTraining(variant, training);
    } catch (thrown) {
      console.warn(`The stored weights of ${variant} cannot be used.`, thrown);
      const lost: PatchFacts = { sha256, bytes: blob.size, tensors: [] };
      this.#putLost(variant, String(name), plan, [...recipe, { kind: 'patch', ...lost }], parent);
    }
  }

  /** What a patch of a variant is fitted to. */
  #target(plan: PruningPlan, recipe: readonly Step[]): PatchTarget {
    const { shape, weights } = this.#base;
    return { base: { shape, weights }, parent: withoutPatch(this.#base, plan, recipe, this.#cut(plan)) };
  }

  /** What a plan leaves of the base. Variants of one plan share the weights, hence what is made from them. */
  #cut(plan: PruningPlan): Weighted {
    const known = [...this.#cuts.values()].find((each) => samePlan(each.plan, plan));
    if (known) return known.cut;
    const cut = pruned(this.#base, plan);
    this.#cuts.set(this.#nextCut++, { plan, cut });
    return cut;
  }

  #put(
    id: string,
    name: string,
    plan: PruningPlan,
    recipe: readonly Step[],
    patch: CheckedPatch | null,
    parent = parentOf(id),
    adapter: KeptAdapter | null = null,
  ): VariantInfo {
    const view: ModelView = { id, ...withPatch(withoutPatch(this.#base, plan, recipe, this.#cut(plan)), patch) };
    return this.#enter({ id, name, parent, recipe, view }, plan, patch, adapter);
  }

  #putLost(id: string, name: string, plan: PruningPlan, recipe: readonly Step[], parent = parentOf(id)): VariantInfo {
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

  /** The plan in canonical form, if it fits the open model. */
  check(plan: unknown): PruningPlan {
    return checkPlan(plan, this.#base.id, this.#base.shape);
  }

  /** A new variant, or the one that has this plan and name already and the base's weights. */
  async add(value: unknown, name?: string): Promise<VariantInfo> {
    const plan = this.check(value);
    const known = this.#find(plan, name);
    if (known) return known;
    this.#refuseMore();
    const number = await this.#nextNumber();
    // Another call may have made it while this one waited for a number.
    const meanwhile = this.#find(plan, name);
    if (meanwhile) return meanwhile;
    const info = this.#put(`v${number}`, name ?? describePlan(plan, this.#base.shape), plan, recipeOf(plan), null);
    const unlisted = this.#findUnlisted(plan);
    if (unlisted) {
      this.#unlisted.delete(unlisted.view.id);
      this.#listener.renamed(unlisted.view, this.view(info.id));
    }
    return info;
  }

  /** A new variant with weights of its own, which are stored before it is there. */
  async addPatched(value: unknown, patch: Blob, name?: string, task: TaskOptions = {}): Promise<VariantInfo> {
    const plan = this.check(value);
    this.#refuseMore();
    const recipe = recipeOf(plan);
    const checked = await checkPatch(patch, this.#target(plan, recipe), task);
    const called = name ?? `${describePlan(plan, this.#base.shape)}, patched`;
    const step: Step = { kind: 'patch', ...factsOf(checked) };
    return this.#store({ name: called, plan, recipe: [...recipe, step], parent: baseViewId }, checked);
  }

  /** The variant that was made from another one. The one that was made in the same way before is answered again. */
  async addMade(made: Made, task: TaskOptions = {}): Promise<VariantInfo> {
    const { plan, recipe, patch, justMade, name, parent, training, adapter } = made;
    this.#refuseMore();
    const checked = patch && (await checkPatch(patch, this.#target(plan, recipe), task));
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
    const info = this.#put(`v${await this.#nextNumber()}`, name, plan, whole, null, parent);
    if (training) this.recordTraining(info.id, training);
    return info;
  }

  /** The variant of this name that a repair made of a parent on the same text. */
  findRepaired(
    plan: PruningPlan,
    name: string,
    parent: string,
    method: RepairMethod,
    hash: string,
  ): VariantInfo | null {
    for (const { info } of this.#entries.values()) {
      const last = info.recipe.at(-1);
      const sameRepair = last?.kind === 'repair' && last.method === method && last.text.hash === hash;
      const sameParent = info.name === name && info.parent === parent && samePlan(info.plan, plan);
      if (sameRepair && sameParent && !info.patchLost) return info;
    }
    return null;
  }

  async #store(about: About & Required<Pick<About, 'parent' | 'recipe'>>, checked: CheckedPatch): Promise<VariantInfo> {
    const { sha256, blob } = checked;
    const entry = { about, sha256, blob, name: (number: number) => `v${number}` };
    const { variant } = await this.#patches.add(this.#base, entry, this.#next);
    const info = this.#put(variant, about.name, about.plan, about.recipe, checked, about.parent, about.adapter);
    if (about.training) this.recordTraining(variant, about.training);
    return info;
  }

  #findSame(plan: PruningPlan, name: string, recipe: readonly Step[]): VariantInfo | null {
    for (const { info } of this.#entries.values()) {
      const same = info.name === name && samePlan(info.plan, plan) && sameWeights(info.recipe, recipe);
      if (same && !info.patchLost) return info;
    }
    return null;
  }

  #find(plan: PruningPlan, name?: string): VariantInfo | null {
    for (const { info } of this.#entries.values()) {
      const fits = info.id !== baseViewId && (name === undefined || name === info.name);
      if (fits && hasBaseWeights(info.recipe) && samePlan(info.plan, plan)) return info;
    }
    return null;
  }

  #refuseMore(): void {
    if (this.#entries.size <= mostVariants) return;
    const message = `variant: expected at most ${mostVariants} variants.`;
    throw new LabError('bad-argument', message, 'Discard some with lab.discard(id).');
  }

  /** A number that no variant of the stored model had. Where the storage fails, no variant of this session. */
  async #nextNumber(): Promise<number> {
    const number = await this.#patches.nextNumber(this.#base, this.#next).catch((thrown: unknown) => {
      console.warn('The number of a variant could not be stored.', thrown);
      return this.#next;
    });
    const free = Math.max(number, this.#next);
    this.#next = free + 1;
    return free;
  }

  list(): VariantInfo[] {
    return this.#inOrder().map(({ info }) => info);
  }

  /** The base, then the variants in the order in which they were made. */
  #inOrder(): Entry[] {
    const number = ({ info }: Entry): number => numberOf(info.id) ?? 0;
    return [...this.#entries.values()].sort((a, b) => number(a) - number(b));
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

  /** The shape and weights of a variant. Throws 'not-found' for one whose own weights are no longer stored. */
  view(id: string): ModelView {
    const { variant, info } = this.#entry(id);
    if (info.patchLost) throw patchLost(id);
    return variant.view;
  }

  /** The factors of the LoRA training that made a variant; null where none are stored. */
  adapter(id: string): KeptAdapter | null {
    return this.#entry(id).adapter;
  }

  /** What goes on from a variant. One that has the base's weights goes on as the base: its plan says all. */
  draft(id: string): Draft {
    const { info, patch } = this.#entry(id);
    const model = this.view(hasBaseWeights(info.recipe) ? baseViewId : id);
    if (hasBaseWeights(info.recipe)) return { plan: emptyPlan(this.#base.id), recipe: [], model, own: [] };
    return { plan: info.plan, recipe: info.recipe, model, own: patch?.fitted.tensors ?? [] };
  }

  /** The view of a variant by its id, or of what a plan leaves of the base; `id` names the row that numbers belong to, if there is one. */
  resolve(target: string | PruningPlan): { id: string | null; view: ModelView } {
    if (typeof target === 'string') return { id: target, view: this.view(target) };
    const plan = this.check(target);
    const listed = isEmptyPlan(plan) ? this.get(baseViewId) : this.#find(plan);
    return { id: null, view: listed ? this.view(listed.id) : this.#unlistedView(plan) };
  }

  #findUnlisted(plan: PruningPlan): Unlisted | undefined {
    return [...this.#unlisted.values()].find((each) => samePlan(each.plan, plan));
  }

  #unlistedView(plan: PruningPlan): ModelView {
    const known = this.#findUnlisted(plan);
    if (known) return this.#unlisted.get(known.view.id)?.view ?? known.view; // used last from now on
    const view = { id: `plan${this.#nextUnlisted++}`, ...this.#cut(plan) };
    const before = [...this.#unlisted.values()];
    this.#unlisted.set(view.id, { plan, view });
    for (const old of before) if (!this.#unlisted.has(old.view.id)) this.#listener.gone(old.view);
    return view;
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
    const { variant } = this.#entry(id);
    this.#entries.delete(id);
    this.#listener.gone(variant.view);
    if (patchOf(variant.recipe)) await this.#patches.remove(this.#base, id);
  }

  recordPerplexity(id: string, result: PerplexityResult): void {
    this.#entries.get(id)?.numbers.recordPerplexity(result); // it may have been discarded while it was measured
  }

  recordTraining(id: string, curves: TrainingCurves): void {
    this.#entries.get(id)?.numbers.recordTraining(curves);
  }

  recordLatency(id: string, results: readonly LatencyResult[]): void {
    this.#entries.get(id)?.numbers.recordLatency(results);
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
      if (row.training) this.recordTraining(id, row.training);
      this.recordLatency(
        id,
        row.latency.map((result) => renamed(result, ids)),
      );
    }
    // Other tabs must not give these numbers to other variants; where they cannot be told, this tab still does not.
    await this.#patches.raiseNumber(this.#base, this.#next).catch(() => undefined);
  }

  /** The id of a row's variant, which is there afterwards. */
  #restoreVariant(row: ComparisonRow, plan: PruningPlan, ids: ReadonlyMap<string, string>): string {
    if (row.variant === baseViewId) return baseViewId;
    const patch = patchOf(row.recipe);
    const here = this.#entries.get(row.variant)?.info;
    if (here && samePlan(here.plan, plan) && sameWeights(here.recipe, row.recipe)) return here.id;
    const known = patch ? null : this.#findSame(plan, row.name, row.recipe);
    if (known) return known.id;
    const free = here === undefined && numberOf(row.variant) !== null;
    const id = free ? row.variant : `v${this.#next}`;
    this.#refuseMore();
    const parent = row.parent === null ? baseViewId : (ids.get(row.parent) ?? row.parent);
    if (patch) this.#putLost(id, row.name, plan, row.recipe, parent);
    else this.#put(id, row.name, plan, row.recipe, null, parent);
    return id;
  }

  comparison(): ComparisonRow[] {
    return this.#inOrder().map(({ info, numbers }) => {
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

const parentOf = (id: string): string | null => (id === baseViewId ? null : baseViewId);

function factsOf({ sha256, blob, fitted }: CheckedPatch): PatchFacts {
  const tensors = fitted.tensors.map(({ tensor: { name, dtype, dims } }) => ({ name, dtype, dims }));
  return { sha256, bytes: blob.size, tensors };
}

/** A recipe whose last patch is the given one. */
function withPatchFacts(recipe: readonly Step[], patch: CheckedPatch): readonly Step[] {
  return patchOf(recipe) === null ? [...recipe, { kind: 'patch', ...factsOf(patch) }] : recipe;
}

/** The number in an id that the laboratory gave; null for any other text. */
function numberOf(id: string): number | null {
  const digits = /^v([1-9]\d{0,8})$/.exec(id)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** A result whose speed-up names the other variant by its id here. */
function renamed(result: LatencyResult, ids: ReadonlyMap<string, string>): LatencyResult {
  const { speedUp } = result;
  const against = speedUp && ids.get(speedUp.against);
  return speedUp && against !== undefined ? { ...result, speedUp: { ...speedUp, against } } : result;
}

function patchLost(id: string): LabError {
  return new LabError(
    'not-found',
    `The weights of variant '${id}' are no longer stored in this browser: its numbers are what was measured of it before.`,
    'Make it again with lab.variant(plan, { patch }), or discard it.',
  );
}
