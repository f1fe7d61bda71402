/** @file What a report is called, and when it was measured. Pure. */
import type { ModelRecord } from '../../report/record';
import { shortSource } from '../model/facts';

/** The name of a report's model. */
export function modelName({ model }: Pick<ModelRecord, 'model'>): string {
  return model.card?.title ?? shortSource(model.source);
}

/** The author's title, or one that names the model. */
export function reportTitle(record: ModelRecord): string {
  return record.title?.trim() || `Pruning ${modelName(record)}`;
}

const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];

/** '29 November 2026, 19:55 UTC'; null for a text that is no date. */
export function dateText(created: string): string | null {
  const date = new Date(created);
  if (Number.isNaN(date.getTime())) return null;
  const time = date.toISOString().slice(11, 16);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}, ${time} UTC`;
}
