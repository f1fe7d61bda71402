/** @file A report that runs again on the page: what was found so far. */

import type { DeviceInfo } from '../../../report/facts';
import type { ModelRecord } from '../../../report/record';
import type { ReproducedValue } from '../../../report/reproduction/values';
import type { ReproducedPart } from '../../contract/sharing';

export interface Reproduction {
  /** `reportKey` of the report. */
  readonly key: string;
  readonly values: readonly ReproducedValue[];
  /** The part that runs; null before the first and behind the last one. */
  readonly part: ReproducedPart | null;
  readonly device: DeviceInfo | null;
  /** Every part has run, or said why it did not. */
  readonly complete: boolean;
}

/** Tells reports apart, however often a link is read. */
export function reportKey({ created, model, title = '' }: ModelRecord): string {
  return JSON.stringify([created, model.id, model.revision, title]);
}
