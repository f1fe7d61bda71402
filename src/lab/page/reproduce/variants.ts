/** @file The variants of a report, made again here: ids of the report by the side of ids of this session. */
import { LabError } from '../../../errors';
import { baseViewId } from '../../../model/view';
import type { RetrainStep } from '../../../pruning/variant';
import type { ModelRecord } from '../../../report/record';
import { type Action, makingOf } from '../../../report/reproduction/recipe';
import { trainingAgain } from '../../../report/reproduction/training';
import type { ComparisonRow } from '../../../report/results';
import type { TaskOptions } from '../../../task';
import type { Lab } from '../../contract/types';
import { otherTokens } from './calibrations';

/** Makes the tokens of an action's repair the calibration; throws with the reason where they cannot be had. */
export type CalibrateFor = (action: Action, task: TaskOptions) => Promise<void>;

export class MadeVariants {
  readonly #lab: Pick<Lab, 'variant' | 'retrain' | 'discard'>;
  readonly #rows: readonly ComparisonRow[];
  readonly #calibrate: CalibrateFor;
  readonly #hub: string | undefined;
  /** Ids here by ids in the report. */
  readonly #ids = new Map<string, string>([[baseViewId, baseViewId]]);
  readonly #failures = new Map<string, string>();

  constructor(
    lab: Pick<Lab, 'variant' | 'retrain' | 'discard'>,
    { comparison }: Pick<ModelRecord, 'comparison'>,
    calibrate: CalibrateFor,
    hub?: string,
  ) {
    this.#lab = lab;
    this.#rows = comparison;
    this.#calibrate = calibrate;
    this.#hub = hub;
  }

  /** Id here. @throws LabError with the reason where the variant could not be made */
  idOf(variant: string): string {
    const id = this.#ids.get(variant);
    if (id !== undefined) return id;
    const why = this.#failures.get(variant) ?? 'It has not been made here.';
    throw new LabError('not-found', why, 'Leave this variant out.');
  }

  /** Makes the variant of a row. */
  async make(row: ComparisonRow, task: TaskOptions): Promise<void> {
    if (this.#ids.has(row.variant)) return;
    try {
      this.#ids.set(row.variant, await this.#made(row, task));
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      if (!task.signal?.aborted) this.#failures.set(row.variant, reason);
      throw thrown;
    }
  }

  async #made(row: ComparisonRow, task: TaskOptions): Promise<string> {
    const found = makingOf(row, this.#rows);
    if ('why' in found) throw new LabError('not-available', found.why, 'Ask the author of the report for the files.');
    const { from, actions, trainings } = found.making;
    let parent = this.#ids.get(from);
    if (parent === undefined) {
      const before = this.#rows.find(({ variant }) => variant === from);
      if (before) await this.make(before, task);
      parent = this.idOf(from);
    }
    const between: string[] = [];
    const count = actions.length + trainings.length;
    const nameOf = (at: number): string => (at === count - 1 ? row.name : `${row.name} (step ${at + 1} of ${count})`);
    try {
      for (const [at, action] of actions.entries()) {
        if (action.repair !== 'none') await this.#calibrate(action, task);
        const made = await this.#lab.variant(action.plan, { name: nameOf(at), repair: action.repair, parent, ...task });
        parent = made.id;
        if (at < count - 1) between.push(made.id);
      }
      for (const [at, step] of trainings.entries()) {
        const last = actions.length + at;
        parent = await this.#trained(parent, step, nameOf(last), task);
        if (last < count - 1) between.push(parent);
      }
    } finally {
      // What lies between was no variant of the report.
      for (const id of between) await this.#lab.discard(id).catch(() => undefined);
    }
    return parent;
  }

  /** Trains on the rows of the report: the variant counts only if they have the same hash. */
  async #trained(parent: string, step: RetrainStep, name: string, task: TaskOptions): Promise<string> {
    const again = trainingAgain(step);
    if ('why' in again) throw new LabError('not-available', again.why, 'Ask the author of the report for the files.');
    const { targets, ...request } = again.request;
    const hub = this.#hub === undefined ? {} : { hub: this.#hub };
    const { variant } = await this.#lab.retrain(parent, {
      ...request,
      ...(targets && { targets: [...targets] }),
      ...{ name, ...hub, ...task },
    });
    const made = variant.recipe.at(-1);
    const here = made?.kind === 'retrain' ? made.text : null;
    if (here?.hash === step.text.hash) return variant.id;
    await this.#lab.discard(variant.id).catch(() => undefined);
    throw otherTokens(
      `Other rows: the training of the report had ${step.text.samples} × ${step.text.seqLen} tokens (hash ${step.text.hash}), here are ${here?.samples} × ${here?.seqLen} (hash ${here?.hash}).`,
    );
  }
}
