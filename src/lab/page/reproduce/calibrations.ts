/** @file The calibrations of a report, made again here: each counts only if its token ids are the report's. */
import { LabError } from '../../../errors';
import type { RepairText } from '../../../pruning/variant';
import type { ModelRecord } from '../../../report/record';
import { calibrationRequest, differenceOfTokens, type Given } from '../../../report/reproduction/tokens';
import type { CalibrationInfo } from '../../../report/texts';
import type { TaskOptions } from '../../../task';
import type { ReproduceOptions } from '../../contract/sharing';
import type { Lab } from '../../contract/types';

/** Hash of scores that read no tokens. */
const noTokens = '';

export class Calibrations {
  readonly #lab: Pick<Lab, 'calibrate'>;
  readonly #given: Given;
  readonly #hub: string | undefined;
  readonly #scores: ModelRecord['scores'];
  /** Hash and seed of the present one. */
  #present: string | null = null;
  /** Why one cannot be had, by hash. */
  readonly #failures = new Map<string, LabError>();

  constructor(lab: Pick<Lab, 'calibrate'>, record: ModelRecord, { texts = [], hub }: ReproduceOptions) {
    this.#lab = lab;
    this.#given = { texts, calibration: record };
    this.#hub = hub;
    this.#scores = record.scores;
  }

  get given(): Given {
    return this.#given;
  }

  /** The Hub that texts come from. */
  get hub(): string | undefined {
    return this.#hub;
  }

  /** What the report says of the tokens with a hash. */
  known(hash: string | null): CalibrationInfo | null {
    const { calibration } = this.#given.calibration;
    const all = [calibration, ...this.#scores.map((each) => each.calibration)];
    return all.find((each) => each !== null && each.hash === hash) ?? calibration;
  }

  /** Makes the tokens of a number the present calibration. @throws LabError where other tokens came, or none can be had */
  async of(wanted: CalibrationInfo | RepairText | null, task: TaskOptions): Promise<void> {
    if (wanted === null || wanted.hash === noTokens) return;
    const key = `${wanted.hash} ${wanted.seed}`;
    if (this.#present === key) return;
    const failure = this.#failures.get(wanted.hash);
    if (failure) throw failure;
    try {
      await this.#make(wanted, task);
      this.#present = key;
    } catch (thrown) {
      if (thrown instanceof LabError && thrown.code !== 'aborted') this.#failures.set(wanted.hash, thrown);
      throw thrown;
    }
  }

  async #make(wanted: CalibrationInfo | RepairText, task: TaskOptions): Promise<void> {
    const found = calibrationRequest(wanted, this.#given);
    if ('why' in found) throw otherTokens(found.why);
    this.#present = null;
    const here = await this.#lab.calibrate({ ...found.request, ...(this.#hub && { hub: this.#hub }), ...task });
    const difference = differenceOfTokens(wanted, here, { reported: wanted.samples, here: here.samples });
    if (difference !== null) throw otherTokens(difference);
  }
}

/** Numbers of other tokens do not compare. */
export function otherTokens(message: string): LabError {
  return new LabError('bad-argument', message, 'Ask the author of the report for the text.');
}
