/** @file The address of the laboratory with a report's model: opening it asks before anything is downloaded. Pure. */
import type { ModelInfo } from '../../report/facts';

/** Null for a model that has no address, only files on the author's device. */
export function laboratoryAddress({ id, source }: Pick<ModelInfo, 'id' | 'source'>, page: string): string | null {
  if (id.startsWith('files:') || source.startsWith('files:')) return null;
  const address = new URL('./', page);
  address.searchParams.set('model', source);
  return address.href;
}
