/** @file The variants of a report, made again here: ids of the report by the side of ids of this session. */
import { LabError } from '../../../errors';
import { baseViewId } from '../../../model/view';
import type { ModelRecord } from '../../../report/record';
import { type Action, makingOf } from '../../../report/reproduction/recipe';
import type { ComparisonRow } from '../../../report/results';
import type { TaskOptions } from '../../../task';
import type { Lab } from '../../contract/types';

/** Makes the tokens of an action's repair the calibration; throws with the reason where they cannot be had. */
export type CalibrateFor = (action: Action, task: TaskOptions) => Promise<void>;

export class MadeVariants {
  readonly #lab: Pick<Lab, 'variant' | 'discard'>;
  readonly #rows: readonly ComparisonRow[];
  readonly #calibrate: CalibrateFor;
  /** Ids here by ids in the report. */
  readonly #ids = new Map<string, string>([[baseViewId, baseViewId]]);
  readonly #failures = new Map<string, string>();

  constructor(
    lab: Pick<Lab, 'variant' | 'discard'>,
    { comparison }: Pick<ModelRecord, 'comparison'>,
    calibrate: CalibrateFor,
  ) {
    this.#lab = lab;
    this.#rows = comparison;
    this.#calibrate = calibrate;
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
    const { from, actions } = found.making;
    let parent = this.#ids.get(from);
    if (parent === undefined) {
      const before = this.#rows.find(({ variant }) => variant === from);
      if (before) await this.make(before, task);
      parent = this.idOf(from);
    }
    const between: string[] = [];
    try {
      for (const [at, action] of actions.entries()) {
        const isLast = at === actions.length - 1;
        if (action.repair !== 'none') await this.#calibrate(action, task);
        const name = isLast ? row.name : `${row.name} (step ${at + 1} of ${actions.length})`;
        const made = await this.#lab.variant(action.plan, { name, repair: action.repair, parent, ...task });
        parent = made.id;
        if (!isLast) between.push(made.id);
      }
    } finally {
      // What lies between was no variant of the report.
      for (const id of between) await this.#lab.discard(id).catch(() => undefined);
    }
    return parent;
  }
}
