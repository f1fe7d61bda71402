/** @file 'Compare with another report': one chart of this report and others. */
import type { ModelRecord } from '../../report/record';

export function CompareSlot(_: { record: ModelRecord }) {
  return null;
}
