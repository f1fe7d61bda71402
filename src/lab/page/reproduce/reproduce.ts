/**
 * @file Runs a report again: its model, its calibration, its scores, its variants, its perplexities, its searches, its times, with the
 * laboratory's own methods. A part that fails says why, and the others go on.
 */
import { abortedError, LabError, throwIfAborted } from '../../../errors';
import type { DeviceInfo } from '../../../report/facts';
import { type ModelRecord, restore } from '../../../report/record';
import { missing, type Part, partsOf } from '../../../report/reproduction/parts';
import { makingOf } from '../../../report/reproduction/recipe';
import { isHalf } from '../../../report/reproduction/tolerance';
import type { ReproducedValue } from '../../../report/reproduction/values';
import type { Progress, TaskOptions } from '../../../task';
import type { ReproducedKind, ReproduceOptions } from '../../contract/sharing';
import { Calibrations } from './calibrations';
import { measured, type ReproducingLab } from './measured';
import { openReported } from './reportedModel';
import { MadeVariants } from './variants';

/**
 * Every number of the report with the one measured here. Ends what is open.
 * @throws LabError 'aborted' when cancelled, 'bad-record', and what keeps the report's model from being opened
 */
export async function reproduce(
  lab: ReproducingLab,
  report: ModelRecord,
  options: ReproduceOptions = {},
): Promise<ReproducedValue[]> {
  const { record } = restore(report);
  return new Reproduction(lab, record, options).run();
}

class Reproduction {
  readonly #lab: ReproducingLab;
  readonly #record: ModelRecord;
  readonly #options: ReproduceOptions;
  readonly #parts: readonly Part[];
  readonly #calibrations: Calibrations;
  readonly #variants: MadeVariants;
  readonly #values: ReproducedValue[] = [];
  /** How many times as long as on the report's device each part took here. */
  readonly #pace: number[] = [];

  constructor(lab: ReproducingLab, record: ModelRecord, options: ReproduceOptions) {
    this.#lab = lab;
    this.#record = record;
    this.#options = options;
    this.#calibrations = new Calibrations(lab, record, options);
    this.#variants = new MadeVariants(
      lab,
      record,
      (action, task) => this.#calibrations.of(action.text, task),
      options.hub,
    );
    this.#parts = this.#ordered(partsOf(record));
  }

  /**
   * Variants that were repaired on other tokens than the scores were measured on come first: a laboratory drops its scores when it
   * calibrates on other tokens.
   */
  #ordered(parts: readonly Part[]): Part[] {
    const main = this.#record.calibration?.hash;
    const isElsewhere = (part: Part): boolean => {
      if (part.kind !== 'variants') return false;
      const found = makingOf(part.row, this.#record.comparison);
      return 'making' in found && found.making.actions.some(({ text }) => text !== null && text.hash !== main);
    };
    return [...parts.filter(isElsewhere), ...parts.filter((part) => !isElsewhere(part))];
  }

  async run(): Promise<ReproducedValue[]> {
    const { signal, onProgress } = this.#options;
    const load: TaskOptions = {
      signal,
      onProgress: (progress) => onProgress?.({ ...progress, stage: `Opening the model: ${progress.stage}` }),
    };
    await openReported(this.#lab, this.#record.model, this.#options, load);
    const device = await this.#lab.device();
    for (const [at, part] of this.#parts.entries()) {
      throwIfAborted(signal, 'Running the report again');
      for (const value of await this.#valuesOf(part, at, device)) {
        this.#values.push(value);
        this.#options.onValue?.(value);
      }
    }
    onProgress?.({ stage: 'Done', done: this.#parts.length, total: this.#parts.length, unit: 'parts' });
    return this.#values;
  }

  async #valuesOf(part: Part, at: number, device: DeviceInfo | null): Promise<ReproducedValue[]> {
    const { signal, skip = [], mostSearchMs = Number.POSITIVE_INFINITY, onPart } = this.#options;
    if (skip.includes(part.kind as ReproducedKind)) return missing(part, 'You left it out.');
    const estimateMs = this.#estimate(part);
    if (part.kind === 'searches' && estimateMs !== null && estimateMs > mostSearchMs) {
      return missing(
        part,
        `It would take about ${seconds(estimateMs)} here: you left out what takes longer than ${seconds(mostSearchMs)}.`,
      );
    }
    const skipped = onPart?.({ name: part.name, kind: part.kind, estimateMs });
    const signals = [signal, skipped].filter((each) => each !== undefined);
    const task: TaskOptions = {
      ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
      onProgress: (progress) => this.#tell(part, at, progress),
    };
    this.#tell(part, at, null);
    const started = performance.now();
    try {
      const half = isHalf(device) || isHalf(this.#record.device);
      const values = await measured(this.#lab, part, {
        ...{ half, calibrations: this.#calibrations },
        variants: this.#variants,
        task,
      });
      if (part.milliseconds) this.#pace.push((performance.now() - started) / part.milliseconds);
      return values;
    } catch (thrown) {
      if (signal?.aborted) throw abortedError('Running the report again');
      return missing(part, skipped?.aborted ? 'You skipped it.' : reasonOf(thrown));
    }
  }

  /** What a part will take here, judged by the middle of how much longer the parts before it took; null where nothing tells. */
  #estimate({ milliseconds }: Part): number | null {
    const sorted = this.#pace.toSorted((a, b) => a - b);
    const pace = sorted[sorted.length >> 1];
    return milliseconds === null || pace === undefined ? null : milliseconds * pace;
  }

  /** Parts done, with the share of the one that runs. */
  #tell({ name }: Part, at: number, progress: Progress | null): void {
    const share = progress && progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
    const stage = progress?.stage ? `${name}: ${progress.stage}` : name;
    this.#options.onProgress?.({ stage, done: at + share, total: this.#parts.length, unit: 'parts' });
  }
}

const seconds = (ms: number): string => (ms < 90_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`);

/** Of an error of ours the message is enough: it says where, what was expected and what was there. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof LabError) return thrown.message;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
