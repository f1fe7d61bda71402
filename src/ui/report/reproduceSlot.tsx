/** @file 'Run it again here': loads the report's model and repeats its measurements on this device. */
import type { ModelRecord } from '../../report/record';
import { ReproduceCard } from '../reproduce/reproduceCard';

export function ReproduceSlot({ record }: { record: ModelRecord }) {
  return <ReproduceCard record={record} />;
}
